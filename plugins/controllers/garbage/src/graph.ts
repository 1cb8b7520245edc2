import type { KubeObject, OwnerReference } from '@kubernel/sdk/api';
import type { DiscoveredResource } from '@kubernel/sdk/client';

/** An object as the collector knows it. */
export interface GraphNode {
  uid: string;
  name: string;
  namespace: string;
  /** Undefined: only known from others' owner references, and nobody has seen it yet. */
  resource: DiscoveredResource | undefined;
  /** How its first dependent describes an object that nobody has seen. */
  reference: OwnerReference | undefined;
  resourceVersion: string;
  owners: readonly OwnerReference[];
  /** Objects that name it as an owner. Most have none, and share {@link NOBODY}. */
  dependents: ReadonlySet<GraphNode>;
  /** Has a deletionTimestamp. */
  deleting: boolean;
  finalizers: readonly string[];
}

export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

/** Being deleted in the foreground: it goes after those dependents that block it. */
export const waitsForDependents = (node: GraphNode): boolean => node.deleting && node.finalizers.includes(FOREGROUND);

const isOrphaning = (node: GraphNode): boolean => node.deleting && node.finalizers.includes(ORPHAN);

/** Whom a change concerns. Keys are uids. */
export interface GraphListener {
  /** Its owners may be gone, or it waits for dependents: decide whether it has to go. */
  judge(uid: string): void;
  /** Its dependents are to live on without it. */
  orphan(uid: string): void;
}

/**
 * Who owns whom, over all resources, from their watches. Those come in no common order, so an owner may be named before it
 * is seen (it stands in as a node without a resource and is judged: perhaps it never existed).
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #listener: GraphListener;

  constructor(listener: GraphListener) {
    this.#listener = listener;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** An object was added or changed. */
  set(resource: DiscoveredResource, { metadata }: KubeObject): void {
    const {
      uid = '',
      name = '',
      namespace = '',
      resourceVersion = '',
      ownerReferences = NONE,
      finalizers = NONE,
      deletionTimestamp,
    } = metadata;
    const before = this.#nodes.get(uid);
    const node = before ?? this.#add(uid);
    const wasJudged = { deleting: node.deleting, orphaning: isOrphaning(node), waiting: waitsForDependents(node) };
    const oldOwners = node.owners;
    Object.assign(node, {
      name,
      namespace,
      resource,
      reference: undefined,
      resourceVersion,
      deleting: Boolean(deletionTimestamp),
      finalizers,
      owners: ownerReferences,
    });
    const ownersChanged = this.#link(node, oldOwners);
    if (isOrphaning(node) && !wasJudged.orphaning) this.#listener.orphan(uid);
    if (waitsForDependents(node) && !wasJudged.waiting) {
      for (const dependent of node.dependents) this.#listener.judge(dependent.uid);
      this.#listener.judge(uid);
    }
    if (ownersChanged && node.owners.length > 0) this.#listener.judge(uid);
  }

  /** An object is gone. */
  delete(uid: string): void {
    const node = this.#nodes.get(uid);
    if (!node) return;
    this.#nodes.delete(uid);
    for (const owner of node.owners) this.#unlink(node, owner.uid);
    for (const dependent of node.dependents) this.#listener.judge(dependent.uid);
  }

  #add(uid: string): GraphNode {
    const node: GraphNode = {
      uid,
      name: '',
      namespace: '',
      resource: undefined,
      reference: undefined,
      resourceVersion: '',
      owners: NONE,
      dependents: NOBODY,
      deleting: false,
      finalizers: NONE,
    };
    this.#nodes.set(uid, node);
    return node;
  }

  /** Puts the node among the dependents of its owners, and takes it from those it left. True when its owners changed. */
  #link(node: GraphNode, oldOwners: readonly OwnerReference[]): boolean {
    const { owners } = node;
    if (owners.length === 0 && oldOwners.length === 0) return false;
    const now = new Map(owners.map((owner) => [owner.uid, owner]));
    let changed = false;
    for (const old of oldOwners) {
      const owner = now.get(old.uid);
      if (!owner) {
        changed = true;
        this.#unlink(node, old.uid);
      } else if (old.blockOwnerDeletion && !owner.blockOwnerDeletion) {
        this.#unblock(old.uid);
      }
    }
    for (const owner of owners) {
      const target = this.#nodes.get(owner.uid) ?? this.#addUnseen(node, owner);
      if (!target.dependents.has(node)) {
        if (target.dependents === NOBODY) target.dependents = new Set();
        (target.dependents as Set<GraphNode>).add(node);
        changed = true;
      }
    }
    return changed;
  }

  #addUnseen(dependent: GraphNode, reference: OwnerReference): GraphNode {
    const node = this.#add(reference.uid);
    Object.assign(node, { name: reference.name, namespace: dependent.namespace, reference });
    this.#listener.judge(reference.uid);
    return node;
  }

  #unlink(node: GraphNode, ownerUid: string): void {
    const owner = this.#nodes.get(ownerUid);
    if (!owner?.dependents.has(node)) return;
    (owner.dependents as Set<GraphNode>).delete(node);
    this.#unblock(ownerUid);
    // Nobody speaks of it any more, and nobody ever saw it.
    if (!owner.resource && owner.dependents.size === 0) this.#nodes.delete(ownerUid);
  }

  /** An owner that waits for its dependents may have one less to wait for. */
  #unblock(ownerUid: string): void {
    const owner = this.#nodes.get(ownerUid);
    if (owner && waitsForDependents(owner)) this.#listener.judge(ownerUid);
  }
}

const NONE: readonly never[] = Object.freeze([]) as readonly never[];
/** A Set of its own for each of ten thousand pods would take 2 MiB. */
const NOBODY: ReadonlySet<GraphNode> = new Set();
