import { StatusError, type Strategy, type StrategyContext } from '@kubernel/sdk';
import { FieldErrors, FieldPath, type KubeObject, semanticEqual } from '@kubernel/sdk/api';
import { type Api, strategyContext, validateUpdated } from '../api.ts';
import { type Entry, selectableOf, withResourceVersion } from '../cache/entry.ts';
import type { Call } from '../call.ts';
import { encodeStored } from '../codec.ts';
import { keyOf, type Resource, textOf } from '../registry.ts';
import { conflict, MODIFIED, notFound, qualified } from '../status.ts';
import type { WriteOptions } from '../write-options.ts';

export interface Change {
  namespace: string;
  name: string;
  subresource: string;
  strategy: Strategy;
  options: WriteOptions;
  /**
   * Makes the new object out of the current one, which is shared and must be left alone: a PUT's body, a patched copy
   * (`copy` makes one by parsing the text again, at half the cost of structuredClone).
   * Called again when somebody else was faster, if `retry` says that is fine.
   */
  next(current: KubeObject, copy: () => KubeObject): KubeObject | Promise<KubeObject>;
  /** Make the change on whatever is there now; otherwise the client's resourceVersion decides. */
  retry: boolean;
  /** The object's uid must be the current one's; a patch that changes it is left to validation. */
  uidPrecondition?: boolean;
  /** Past the update endpoint (bindings, scale): only the words of a conflict differ. */
  direct?: boolean;
  /** For actions that are no client's update: no admission, no strategy. */
  internal?: boolean;
}

/** What came of it. `deleted`: the update took away the last finalizer of an object that waited for that. */
export interface Changed {
  text: string;
  object: KubeObject;
  deleted: boolean;
}

const ATTEMPTS = 20;

/** Read, change, compare-and-swap: the way of PUT, PATCH, apply and subresources on an object that exists. */
export async function change(api: Api, call: Call, resource: Resource, request: Change): Promise<Changed> {
  await api.cache.fresh();
  const key = keyOf(resource, request.namespace, request.name);
  for (let attempt = 1; ; attempt++) {
    const entry = resource.cache.entries.get(key);
    if (!entry) throw notFound(resource.group, resource.plural, request.name);
    const current = currentObject(resource, entry);
    const object = await request.next(current, () => JSON.parse(textOf(resource, entry)) as KubeObject);
    const result = await tryChange(api, call, resource, request, entry, current, object);
    if (typeof result !== 'number') return result;
    // Somebody else was faster: wait until the cache has what they wrote.
    if (!request.retry || attempt === ATTEMPTS) throw conflict(resource.group, resource.plural, request.name, MODIFIED);
    await api.cache.waitFor(-result);
  }
}

/** The object in the version this resource serves, shared. */
export function currentObject(resource: Resource, entry: Entry): KubeObject {
  const text = textOf(resource, entry);
  return text === entry.text ? entry.object : (JSON.parse(text) as KubeObject);
}

/** The outcome, or minus the revision (0: deleted) at which the object stands now, when the comparison failed. */
async function tryChange(
  api: Api,
  call: Call,
  resource: Resource,
  request: Change,
  entry: Entry,
  current: KubeObject,
  object: KubeObject,
): Promise<Changed | number> {
  const { strategy, options } = request;
  const asked = object.metadata.resourceVersion ?? '';
  if (asked !== '' && !/^\d+$/.test(asked))
    throw new StatusError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(asked)}: invalid syntax`);
  if (asked !== '' && asked !== String(entry.revision)) throw conflict(resource.group, resource.plural, request.name, MODIFIED);
  if (asked === '' && strategy.unconditionalUpdate === false && request.uidPrecondition && !request.direct)
    throw revisionRequired(resource, request.name);
  // An unconditional update is one of whatever is there now.
  object.metadata.resourceVersion = String(entry.revision);
  const uid = object.metadata.uid;
  if (request.uidPrecondition && uid && uid !== current.metadata.uid) {
    const key = `${request.direct ? '/registry' : ''}${storageKey(resource, request.namespace, request.name)}`;
    const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
    throw conflict(resource.group, resource.plural, request.name, why);
  }
  const context = strategyContext(api, call, request.namespace, options.dryRun, current);
  if (!request.internal) {
    const attributes = api.attributes(call, resource, 'UPDATE', {
      object,
      oldObject: current,
      options: options.document,
      dryRun: options.dryRun,
    });
    await api.admission.admit(attributes);
    await prepare(strategy, object, current, context);
    validateUpdated({ ...resource.definition, strategy }, object, current, context);
    for (const warning of strategy.warnings?.(object, current) ?? []) call.warnings.push(warning);
    await api.admission.validate(attributes);
  }
  return commit(api, resource, request, entry, object, context);
}

/** What an update cannot change, and what the kind's strategy resets. */
async function prepare(strategy: Strategy, object: KubeObject, old: KubeObject, context: StrategyContext): Promise<void> {
  const { metadata } = object;
  const before = old.metadata;
  if (before.generation !== undefined) metadata.generation = before.generation;
  else delete metadata.generation;
  delete metadata.selfLink;
  await strategy.prepareForUpdate?.(object, old, context);
  if (strategy.generation && !semanticEqual(generationOf(strategy, object), generationOf(strategy, old)))
    metadata.generation = (before.generation ?? 0) + 1;
  metadata.uid ||= before.uid;
  metadata.creationTimestamp = before.creationTimestamp;
  if (before.deletionTimestamp) metadata.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined) metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
}

function generationOf(strategy: Strategy, object: KubeObject): unknown {
  return strategy.generationOf ? strategy.generationOf(object) : object.spec;
}

async function commit(
  api: Api,
  resource: Resource,
  request: Change,
  entry: Entry,
  object: KubeObject,
  context: StrategyContext,
): Promise<Changed | number> {
  const { storedAs } = resource.definition;
  api.patcher.ignoreTimes(currentObject(resource, entry), object);
  const normal = api.codec.normalize(resource.type, object);
  const stored = storedAs ? api.codec.normalizeStored(resource, storedAs.toStored(structuredClone(normal))) : normal;
  const value = encodeStored(stored);
  const answer = (revision: number): string => withResourceVersion(storedAs ? encodeStored(normal) : value, revision);
  if (isGone(resource, object)) {
    if (request.options.dryRun) return { text: answer(entry.revision), object: normal, deleted: true };
    const revision = await api.writer.write(entry.key, null, entry.revision);
    if (revision <= 0) return revision;
    await resource.strategy.release?.(object, context);
    return { text: answer(revision), object: normal, deleted: true };
  }
  // An update that changes nothing is not written: no new revision, no event.
  if (withResourceVersion(value, entry.revision) === entry.text) return { text: textOf(resource, entry), object: normal, deleted: false };
  if (request.options.dryRun) return { text: answer(entry.revision), object: normal, deleted: false };
  api.cache.remember(entry.key, value, selectableOf(stored, resource.cache.fields));
  const revision = await api.writer.write(entry.key, value, entry.revision, object.metadata.deletionTimestamp !== undefined);
  if (revision <= 0) return revision;
  return { text: answer(revision), object: normal, deleted: false };
}

/** Being deleted, out of grace, and nobody's finalizer holds it any more. */
function isGone({ strategy }: Resource, object: KubeObject): boolean {
  const { metadata } = object;
  if (!metadata.deletionTimestamp || (metadata.finalizers?.length ?? 0) > 0 || (metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  return (strategy.finalizers?.(object).length ?? 0) === 0;
}

/** Where upstream keeps these in etcd, which its messages tell; the others are under their plural. */
const STORED_ELSEWHERE: Readonly<Record<string, string>> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
  replicationcontrollers: 'controllers',
  'apiservices.apiregistration.k8s.io': 'apiregistration.k8s.io/apiservices',
  'customresourcedefinitions.apiextensions.k8s.io': 'apiextensions.k8s.io/customresourcedefinitions',
  'ingresses.networking.k8s.io': 'ingress',
};

function storageKey(resource: Resource, namespace: string, name: string): string {
  const { group, plural, namespaced, keepsTypeMeta } = resource;
  const folder = STORED_ELSEWHERE[qualified(group, plural)] ?? (keepsTypeMeta ? `${group}/${plural}` : plural);
  return `/${folder}${namespaced ? `/${namespace}` : ''}/${name}`;
}

function revisionRequired(resource: Resource, name: string): Error {
  const errors = new FieldErrors();
  errors.invalid(FieldPath.of('metadata', 'resourceVersion'), 0, 'must be specified for an update');
  return errors.toStatusError(resource.plural, resource.group, name);
}
