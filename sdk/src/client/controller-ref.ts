import type { KubeObject, OwnerReference, ResourceRef } from '../api/object.ts';
import type { Selector } from '../api/selector.ts';
import { statusCode } from '../errors.ts';
import type { Client } from './client.ts';
import { isNotFound } from './errors.ts';

/** Owner references (https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/). */

/** The one owner that manages the object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  const owners = object.metadata.ownerReferences;
  if (owners) for (const owner of owners) if (owner.controller) return owner;
  return undefined;
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

export function controllerRef(owner: KubeObject, apiVersion: string, kind: string): OwnerReference {
  return {
    apiVersion,
    kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface ClaimOptions<T extends KubeObject> {
  client: Client;
  /** Of the objects. */
  resource: ResourceRef;
  owner: KubeObject;
  ownerApiVersion: string;
  ownerKind: string;
  selector: Selector;
  /** Objects that the owner controls or could: those of its namespace that match, and those that name its uid. */
  candidates: Iterable<T>;
  /** Beyond the selector, what makes an object worth adopting (a pod that still runs). */
  adoptable?: (object: T) => boolean;
  /**
   * The owner as the server has it now, asked for once and only before the first adoption: an owner that is being
   * deleted, or was replaced by another of its name, must adopt nothing.
   */
  freshOwner: () => Promise<KubeObject>;
}

/**
 * The objects that the owner controls, after releasing those that no longer match its selector and adopting orphans
 * that do (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions).
 * Costs no request when there is nothing to release or to adopt.
 */
export async function claimObjects<T extends KubeObject>(options: ClaimOptions<T>): Promise<T[]> {
  const { owner, selector, candidates, adoptable } = options;
  const claimed: T[] = [];
  const changes: Promise<void>[] = [];
  let mayAdopt: Promise<boolean> | undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    const matches = selector.matches(object.metadata.labels);
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) claimed.push(object);
      else if (!owner.metadata.deletionTimestamp) changes.push(release(options, object));
    } else if (matches && !owner.metadata.deletionTimestamp && !object.metadata.deletionTimestamp && (adoptable?.(object) ?? true)) {
      mayAdopt ??= canAdopt(options);
      changes.push(
        mayAdopt.then(async (may) => {
          if (may && (await adopt(options, object))) claimed.push(object);
        }),
      );
    }
  }
  if (changes.length > 0) await Promise.all(changes);
  return claimed;
}

async function canAdopt<T extends KubeObject>({ owner, freshOwner }: ClaimOptions<T>): Promise<boolean> {
  try {
    const fresh = await freshOwner();
    return fresh.metadata.uid === owner.metadata.uid && !fresh.metadata.deletionTimestamp;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function adopt<T extends KubeObject>(options: ClaimOptions<T>, object: T): Promise<boolean> {
  const { client, resource, owner, ownerApiVersion, ownerKind } = options;
  const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerRef(owner, ownerApiVersion, ownerKind)];
  return patchOwners(client, resource, object, ownerReferences);
}

async function release<T extends KubeObject>({ client, resource, owner }: ClaimOptions<T>, object: T): Promise<void> {
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid);
  await patchOwners(client, resource, object, ownerReferences);
}

/**
 * A merge patch replaces the whole list, so it names the resourceVersion it was made from. False when the object is gone
 * or was replaced meanwhile (404, 422 for another uid): then there is nothing to own.
 */
async function patchOwners(client: Client, resource: ResourceRef, object: KubeObject, ownerReferences: OwnerReference[]): Promise<boolean> {
  const { name = '', namespace, uid, resourceVersion } = object.metadata;
  const patch = { metadata: { uid, resourceVersion, ownerReferences: ownerReferences.length > 0 ? ownerReferences : null } };
  try {
    await client.patch(resource, name, { type: 'merge', patch }, namespace ? { namespace } : {});
    return true;
  } catch (error) {
    if (isNotFound(error) || statusCode(error) === 422) return false;
    throw error;
  }
}
