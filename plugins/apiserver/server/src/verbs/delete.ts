import type { KubeObject } from '@kubernel/sdk/api';
import { type Api, strategyContext, timestamp } from '../api.ts';
import { type Entry, selectableOf, withResourceVersion } from '../cache/entry.ts';
import type { Call, Result } from '../call.ts';
import { encodeStored } from '../codec.ts';
import { type DeleteOptions, deleteOptions } from '../delete-options.ts';
import { keyOf, type Resource, textOf } from '../registry.ts';
import { conflict, failedDeletion, MODIFIED, notFound } from '../status.ts';
import { currentObject } from './change.ts';

/** DELETE: at once, or by marking the object and leaving the rest to those who hold a finalizer or a grace period. */
export async function deleteOne(api: Api, call: Call, resource: Resource): Promise<Result> {
  return deleteObject(api, call, resource, call.info.namespace, call.info.name, deleteOptions(api, call));
}

const ATTEMPTS = 20;

export async function deleteObject(
  api: Api,
  call: Call,
  resource: Resource,
  namespace: string,
  name: string,
  options: DeleteOptions,
): Promise<Result> {
  await api.cache.fresh();
  const key = keyOf(resource, namespace, name);
  for (let attempt = 1; ; attempt++) {
    const entry = resource.cache.entries.get(key);
    if (!entry) throw notFound(resource.group, resource.plural, name);
    const current = currentObject(resource, entry);
    checkPreconditions(resource, name, current, options);
    const attributes = api.attributes(call, resource, 'DELETE', {
      object: undefined,
      oldObject: current,
      options: options.document,
      dryRun: options.dryRun,
    });
    await api.admission.admit(attributes);
    await api.admission.validate(attributes);
    const result = await tryDelete(api, call, resource, entry, current, options);
    if (typeof result !== 'number') return result;
    if (attempt === ATTEMPTS) throw conflict(resource.group, resource.plural, name, MODIFIED);
    await api.cache.waitFor(-result);
  }
}

function checkPreconditions({ group, kind }: Resource, name: string, { metadata }: KubeObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions;
  if (uid && uid !== metadata.uid) throw failedDeletion(group, kind, name, 'UID', uid, metadata.uid ?? '');
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw failedDeletion(group, kind, name, 'ResourceVersion', resourceVersion, metadata.resourceVersion ?? '');
  }
}

async function tryDelete(
  api: Api,
  call: Call,
  resource: Resource,
  entry: Entry,
  current: KubeObject,
  options: DeleteOptions,
): Promise<Result | number> {
  const { strategy } = resource;
  const { metadata } = current;
  const asked =
    options.propagationPolicy ?? (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background');
  for (const warning of strategy.deletionWarnings?.(current, asked) ?? []) call.warnings.push(warning);
  const finalizers = deletionFinalizers(resource, metadata.finalizers ?? [], options, !metadata.deletionTimestamp);
  const grace = strategy.gracePeriod ? Math.max(0, strategy.gracePeriod(current, options.gracePeriodSeconds)) : 0;
  const context = strategyContext(api, call, metadata.namespace ?? '', options.dryRun, current);
  const held = strategy.finalizers?.(current) ?? [];
  if (finalizers.length === 0 && held.length === 0 && grace === 0) {
    if (options.dryRun) return removed(resource, entry, current, entry.revision);
    const revision = await api.writer.write(entry.key, null, entry.revision);
    if (revision <= 0) return revision;
    await strategy.release?.(current, context);
    return removed(resource, entry, current, revision);
  }
  const marked = mark(resource, entry.clone(), finalizers, grace);
  if (!marked) return { type: 'object', code: 200, text: textOf(resource, entry), resource };
  const value = encodeStored(marked);
  if (options.dryRun) return { type: 'object', code: 200, text: withResourceVersion(value, entry.revision), resource };
  api.cache.remember(entry.key, value, selectableOf(marked, resource.cache.fields));
  const revision = await api.writer.write(entry.key, value, entry.revision, true);
  if (revision <= 0) return revision;
  // Accepted, and not done yet, is still 200: the object in the answer says so by its deletionTimestamp.
  return { type: 'object', code: 200, text: withResourceVersion(value, revision), resource };
}

/** Sets deletionTimestamp and the rest. Undefined when nothing changes: it is being deleted already, and no sooner than asked. */
function mark({ strategy }: Resource, object: KubeObject, finalizers: readonly string[], grace: number): KubeObject | undefined {
  const { metadata } = object;
  const before = JSON.stringify(metadata);
  if (!metadata.deletionTimestamp) {
    metadata.deletionTimestamp = timestamp(Date.now() + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation) metadata.generation++;
    strategy.beginDeletion?.(object);
  } else if (grace < (metadata.deletionGracePeriodSeconds ?? 0)) {
    // A shorter period counts from when the deletion was first asked for.
    const asked = Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    metadata.deletionTimestamp = timestamp(asked + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
  }
  if (finalizers.length > 0) metadata.finalizers = [...finalizers];
  else delete metadata.finalizers;
  return JSON.stringify(metadata) === before ? undefined : object;
}

/** The propagation policy is remembered as a finalizer that the garbage collector takes away when its work is done. */
function deletionFinalizers(resource: Resource, present: readonly string[], options: DeleteOptions, begins: boolean): string[] {
  const policy =
    options.propagationPolicy ??
    (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background') ??
    (present.includes('orphan') ? 'Orphan' : present.includes('foregroundDeletion') ? 'Foreground' : resource.strategy.defaultDeletion);
  const others = present.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion');
  if (begins) for (const name of resource.strategy.deletionFinalizers ?? []) if (!others.includes(name)) others.push(name);
  if (policy === 'Orphan') return [...others, 'orphan'];
  if (policy === 'Foreground') return [...others, 'foregroundDeletion'];
  return others;
}

/** `Success` with the uid of what was deleted; kinds that are given back as they were last say so in their strategy. */
function removed(resource: Resource, entry: Entry, { metadata }: KubeObject, revision: number): Result {
  if (resource.strategy.returnDeletedObject) {
    if (metadata.deletionGracePeriodSeconds) return lastWords(resource, entry, revision);
    return {
      type: 'object',
      code: 200,
      text: textOf(resource, entry).replace(`"resourceVersion":"${entry.revision}"`, `"resourceVersion":"${revision}"`),
      resource,
    };
  }
  const { group, plural } = resource;
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: metadata.name, ...(group ? { group } : {}), kind: plural, uid: metadata.uid },
  };
  return { type: 'object', code: 200, text: JSON.stringify(status) };
}

/** An object whose grace was cut short: it is shown without any left. */
function lastWords(resource: Resource, entry: Entry, revision: number): Result {
  const object = JSON.parse(textOf(resource, entry)) as KubeObject;
  object.metadata.deletionGracePeriodSeconds = 0;
  object.metadata.resourceVersion = String(revision);
  return { type: 'object', code: 200, text: JSON.stringify(object), resource };
}
