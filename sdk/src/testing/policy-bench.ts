import type { KubeObject, Node, Pod, ResourceRef } from '../api/index.ts';
import type { Client } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import type { PodCycle, PodInfo, PolicyHost, PolicyInstance, SchedulerPolicy, Verdict } from '../roles/scheduler-policy.ts';
import { UNRESOLVABLE, UNSCHEDULABLE } from '../roles/scheduler-policy.ts';
import { Cluster, ParsedPod } from '../scheduling/index.ts';

export interface PolicyBenchOptions {
  nodes: readonly Node[];
  args?: Record<string, unknown>;
  /** What informers show, by resource: `{ namespaces: [...] }`. */
  objects?: Record<string, readonly KubeObject[]>;
}

/**
 * One scheduler policy over a small cluster, without a scheduler: what a policy is tested with. Where a policy answers both
 * for one node and for all at once, both are asked, and an error says where they disagree.
 *
 * @example
 * const bench = policyBench(taints, { nodes: [aNode('a'), aNode('b', { taints: [{ key: 'x', effect: 'NoSchedule' }] })] });
 * expect(bench.filter(aPod('p'))).toEqual({ a: [], b: ['node(s) had untolerated taint(s)'] });
 */
export class PolicyBench {
  readonly cluster: Cluster;
  readonly instance: PolicyInstance;
  readonly #unlisten: () => void;
  readonly #objects: Record<string, readonly KubeObject[]>;

  /** `cluster`: one that is there already, nodes, pods and all. */
  constructor(policy: SchedulerPolicy, { nodes, args = {}, objects = {} }: PolicyBenchOptions, cluster = new Cluster()) {
    this.#objects = objects;
    this.cluster = cluster;
    for (const node of nodes) this.cluster.putNode(node);
    this.instance = policy.create(this.#host(), args);
    this.#unlisten = this.cluster.listen(this.instance);
  }

  dispose(): void {
    this.#unlisten();
    this.instance.dispose?.();
  }

  info(pod: Pod): PodInfo {
    return new ParsedPod(pod, this.cluster.nodes);
  }

  /** Puts a pod on a node. */
  place(pod: Pod, node: string): void {
    this.cluster.see({ ...pod, spec: { ...pod.spec, nodeName: node } });
  }

  remove(pod: Pod): void {
    this.cluster.gone(this.info(pod).uid);
  }

  /** Node name -> reasons why the pod does not fit; none: it fits. */
  filter(pod: Pod): Record<string, readonly string[]> {
    const cycle = this.#cycle(pod);
    return this.#eachVerdict(cycle, (verdict, slot, rejected) => {
      if (verdict === 0) return [];
      return rejected ?? this.instance.reasons?.(cycle, slot) ?? ['(no reason)'];
    });
  }

  /** Node name -> verdict. */
  verdicts(pod: Pod): Record<string, Verdict> {
    return this.#eachVerdict(this.#cycle(pod), (verdict) => verdict);
  }

  /** Node name -> normalized score over all nodes, or `skip`. */
  score(pod: Pod, among?: readonly string[]): Record<string, number> | 'skip' {
    const cycle = this.#cycle(pod);
    const { nodes } = this.cluster;
    this.instance.preFilter?.(cycle);
    const slots = Int32Array.from(among?.map((name) => nodes.slot(name)) ?? this.#slots());
    if (this.instance.preScore?.(cycle, slots) === 'skip') return 'skip';
    const scores = new Float64Array(slots.length).fill(Number.NaN);
    if (this.instance.scoreAll) this.instance.scoreAll(cycle, slots, scores);
    else for (const [k, slot] of slots.entries()) scores[k] = this.instance.score?.(cycle, slot) ?? 0;
    this.instance.normalize?.(cycle, slots, scores);
    return Object.fromEntries([...slots].map((slot, k) => [nodes.name(slot), scores[k] as number]));
  }

  #eachVerdict<T>(cycle: PodCycle, tell: (verdict: Verdict, slot: number, rejected?: readonly string[]) => T): Record<string, T> {
    const { nodes } = this.cluster;
    const named = (of: (slot: number) => T) => Object.fromEntries(this.#slots().map((slot) => [nodes.name(slot), of(slot)]));
    const { reject, skip, nodes: only } = this.instance.preFilter?.(cycle) ?? {};
    if (reject) return named((slot) => tell(reject.code === 'Unschedulable' ? UNSCHEDULABLE : UNRESOLVABLE, slot, reject.reasons));
    if (skip) return named((slot) => tell(0, slot));
    const verdicts = new Uint8Array(nodes.size);
    this.instance.filterAll?.(cycle, verdicts, 1);
    return named((slot) => {
      if (only && !only.includes(slot)) return tell(UNRESOLVABLE, slot, ['(not among the nodes named by preFilter)']);
      const verdict = this.instance.filter?.(cycle, slot) ?? 0;
      if (this.instance.filterAll && verdicts[slot] !== verdict) {
        throw new Error(`filter says ${verdict} for ${nodes.name(slot)}, filterAll says ${verdicts[slot]}`);
      }
      return tell(verdict, slot);
    });
  }

  #slots(): number[] {
    const { nodes } = this.cluster;
    return Array.from({ length: nodes.size }, (_, slot) => slot).filter((slot) => nodes.live[slot] === 1);
  }

  #cycle(pod: Pod): PodCycle {
    return { pod: this.info(pod), profile: 'default-scheduler', state: new Map() };
  }

  #host(): PolicyHost {
    const nothing = () => undefined;
    const unavailable = (): never => {
      throw new Error('the bench holds one policy, not a scheduler');
    };
    return {
      cluster: this.cluster,
      client: new Proxy({} as Client, { get: unavailable }),
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      informer: <T extends KubeObject>({ resource }: ResourceRef) => fixedInformer((this.#objects[resource] ?? []) as readonly T[]),
      wake: nothing,
      fits: unavailable,
      reasons: unavailable,
      simulate: unavailable,
      nominated: () => [],
      now: () => 0,
      event: nothing,
      activate: nothing,
    };
  }
}

export function policyBench(policy: SchedulerPolicy, options: PolicyBenchOptions): PolicyBench {
  return new PolicyBench(policy, options);
}

export interface NodeShape {
  labels?: Record<string, string>;
  taints?: NonNullable<Node['spec']>['taints'];
  unschedulable?: boolean;
  /** Over cpu 4, memory 8Gi, pods 110. */
  allocatable?: Record<string, string>;
  images?: NonNullable<Node['status']>['images'];
}

/** A Ready node with its hostname label. */
export function aNode(name: string, { labels = {}, taints, unschedulable, allocatable, images }: NodeShape = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable },
      conditions: [{ type: 'Ready', status: 'True' }],
      ...(images ? { images } : {}),
    },
  };
}

/** A pending pod of one container; `requests` are that container's. */
export function aPod(
  name: string,
  { labels, requests, ...spec }: { labels?: Record<string, string>; requests?: Record<string, string> } & Partial<Pod['spec']> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, labels: labels ?? {} },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [{ name: 'app', image: 'app', ...(requests ? { resources: { requests } } : {}) }],
      ...spec,
    },
  };
}

function fixedInformer<T extends KubeObject>(objects: readonly T[]): Informer<T> {
  const keyOf = ({ metadata }: T) => (metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name);
  const indexes = new Map<string, (object: T) => string[]>();
  const informer: Partial<Informer<T>> = {
    size: objects.length,
    hasSynced: true,
    get: (key) => objects.find((object) => keyOf(object) === key),
    list: () => objects[Symbol.iterator]() as IterableIterator<T>,
    addIndex: (name, values) => void indexes.set(name, values),
    byIndex: (name, value) => objects.filter((object) => indexes.get(name)?.(object).includes(value)),
    on: () => () => undefined,
    synced: async () => undefined,
  };
  return informer as Informer<T>;
}
