import { randomInt } from 'node:crypto';
import { CONFLICT_ABSENT, EXPECT_ABSENT, StatusError, type StrategyContext } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { type Api, newUid, strategyContext, timestamp, validateCreated } from '../api.ts';
import { allow } from '../auth.ts';
import { selectableOf, withResourceVersion } from '../cache/entry.ts';
import type { Call, Result } from '../call.ts';
import { encodeStored } from '../codec.ts';
import { checkNamespace, decodeBody, dropSystemFields } from '../decode-body.ts';
import { keyOf, type Resource } from '../registry.ts';
import { alreadyExists } from '../status.ts';
import { managerOf, settleProblems, type WriteOptions, writeOptions } from '../write-options.ts';
import { trackFields } from './track.ts';

/** POST: decode -> default -> managed fields -> mutate -> prepare -> validate -> admit -> encode once -> store. */
export async function create(api: Api, call: Call, resource: Resource): Promise<Result> {
  const options = writeOptions(call, 'CreateOptions');
  const { object, problems, keptEmpty } = decodeBody(api, call, resource);
  settleProblems(problems, options, call, resource);
  const namespace = call.info.namespace;
  checkNamespace(object, resource.namespaced, namespace);
  api.codec.applyDefaults(resource.type, object);
  const text = await createObject(api, call, resource, namespace, object, options, { keptEmpty });
  return { type: 'object', code: 201, text, resource };
}

/** The rest of the way for a decoded, defaulted object. Returns the answer's text. Used by PUT and apply that create, too. */
export async function createObject(
  api: Api,
  call: Call,
  resource: Resource,
  namespace: string,
  object: KubeObject,
  options: WriteOptions,
  { tracked = false, keptEmpty = false }: { tracked?: boolean; keptEmpty?: boolean | undefined } = {},
): Promise<string> {
  const now = timestamp();
  dropSystemFields(object);
  if (!tracked) {
    const manager = managerOf(options, call);
    trackFields(api, { resource, subresource: '', old: undefined, object, manager, time: now }, keptEmpty);
  }
  const attributes = api.attributes(call, resource, 'CREATE', {
    object,
    oldObject: undefined,
    options: options.document,
    dryRun: options.dryRun,
  });
  await api.admission.admit(attributes);
  const context = strategyContext(api, call, namespace, options.dryRun);
  const { metadata } = object;
  metadata.uid = newUid();
  metadata.creationTimestamp = now;
  const revision = revisionOf(metadata.resourceVersion);
  delete metadata.resourceVersion;
  const generated = !metadata.name && !!metadata.generateName;
  const { strategy } = resource;
  if (generated) metadata.name = generatedName(metadata.generateName as string);
  if (strategy.generation) metadata.generation = 1;
  await strategy.prepareForCreate?.(object, context);
  try {
    validateCreated(resource.definition, object, context);
    for (const warning of strategy.warnings?.(object, undefined) ?? []) call.warnings.push(warning);
    await api.admission.validate(attributes);
    if (revision > 0 && !options.dryRun) throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
    const text = await store(api, resource, namespace, object, options.dryRun, generated);
    // A rehearsal does not come as far as the store, which is what asks.
    return revision > 0 ? withResourceVersion(text, revision) : text;
  } catch (error) {
    await release(resource, object, context);
    throw error;
  }
}

/** A PUT or an apply that would create also needs the right to. */
export async function mayCreate(api: Api, call: Call): Promise<void> {
  const { info, user, path } = call;
  const { group, version, resource, namespace, name } = info;
  await allow(api, { user, verb: 'create', resourceRequest: true, group, version, resource, subresource: '', namespace, name, path });
}

/** What a client says the revision of something new is; what is no number says nothing. */
function revisionOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

async function release(resource: Resource, object: KubeObject, context: StrategyContext): Promise<void> {
  await resource.strategy.release?.(object, context);
}

/** How often a generated name that is taken is drawn again (KEP-4420). */
const NAME_ATTEMPTS = 8;

async function store(
  api: Api,
  resource: Resource,
  namespace: string,
  object: KubeObject,
  dryRun: boolean,
  generated: boolean,
): Promise<string> {
  const { storedAs } = resource.definition;
  for (let attempt = 1; ; attempt++) {
    const name = object.metadata.name as string;
    const normal = api.codec.normalize(resource.type, object);
    const stored = storedAs ? api.codec.normalizeStored(resource, storedAs.toStored(structuredClone(normal))) : normal;
    const value = encodeStored(stored);
    const key = keyOf(resource, namespace, name);
    if (dryRun) {
      await api.cache.fresh();
      if (resource.cache.entries.has(key)) throw alreadyExists(resource.group, resource.plural, name);
      return storedAs ? encodeStored(normal) : value;
    }
    api.cache.remember(key, value, selectableOf(stored, resource.cache.fields));
    const revision = await api.writer.write(key, value, EXPECT_ABSENT);
    if (revision > 0) return withResourceVersion(storedAs ? encodeStored(normal) : value, revision);
    if (revision === CONFLICT_ABSENT || !generated) throw alreadyExists(resource.group, resource.plural, name);
    if (attempt === NAME_ATTEMPTS) throw alreadyExists(resource.group, resource.plural, name, true);
    object.metadata.name = generatedName(object.metadata.generateName as string);
  }
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const MAX_BASE_LENGTH = 58;

/** `web-` -> `web-x7k2p`: five characters without vowels, so that they spell nothing. */
function generatedName(base: string): string {
  let suffix = '';
  for (let index = 0; index < 5; index++) suffix += ALPHABET[randomInt(ALPHABET.length)];
  return base.slice(0, MAX_BASE_LENGTH) + suffix;
}
