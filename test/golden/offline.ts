import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiGroup, ApiReader, ResourceDefinition, StrategyContext, ValidationContext } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { type FieldErrors, validateChangedObject, validateNewObject } from '@kubernel/sdk/api';
import { SchemaCodec } from '../../plugins/apiserver/server/src/schema/index.ts';

/**
 * Replays what upstream's API server answered to creations and updates against strategies and validators alone: no
 * server, no storage. Decoding and defaults are ours; admission that changes pods is imitated as far as it shows.
 */

interface Step {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  merge?: unknown;
  save?: Record<string, string>;
  sortCauses?: boolean;
  cleanup?: boolean;
  only?: string[];
  expect?: { code: number; reason?: string; body?: Record<string, unknown> };
}

export interface GoldenCase {
  id: string;
  steps: Step[];
}

export interface Outcome {
  id: string;
  kind: string;
  exact: boolean;
  codeEqual: boolean;
  expected: string;
  actual: string;
}

export function readCases(file: string): GoldenCase[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldenCase);
}

export async function loadGroups(pluginsDir: string): Promise<ApiGroup[]> {
  const groups: ApiGroup[] = [];
  for (const name of readdirSync(pluginsDir)) {
    const module = (await import(join(pluginsDir, name, 'src/index.ts'))) as { group?: ApiGroup };
    if (module.group) groups.push(module.group);
  }
  return groups;
}

export class OfflineServer {
  readonly #codec: SchemaCodec;
  readonly #groups: ApiGroup[];
  readonly #objects = new Map<string, KubeObject>();
  #revision = 100;

  constructor(groups: ApiGroup[]) {
    this.#groups = groups;
    this.#codec = new SchemaCodec(groups);
  }

  find(path: string): { resource: ResourceDefinition; namespace: string; name: string; subresource: string; dryRun: boolean } | undefined {
    const url = new URL(path, 'http://x');
    const parts = url.pathname.split('/').filter(Boolean);
    const group = parts[0] === 'api' ? '' : (parts[1] ?? '');
    const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
    const version = parts[0] === 'api' ? 'v1' : (parts[2] ?? '');
    let namespace = '';
    if (rest[0] === 'namespaces' && rest.length > 2 && !(rest.length === 3 && ['status', 'finalize'].includes(rest[2] ?? ''))) {
      namespace = rest[1] ?? '';
      rest.splice(0, 2);
    }
    const resource = this.#groups
      .find((candidate) => candidate.group === group)
      ?.resources.find((item) => item.plural === rest[0] && item.version === version);
    if (!resource) return undefined;
    return {
      resource,
      namespace,
      name: decodeURIComponent(rest[1] ?? ''),
      subresource: rest[2] ?? '',
      dryRun: url.searchParams.has('dryRun'),
    };
  }

  /** Code and body as the server would answer; undefined for what this replay does not cover. */
  async answer(step: Step): Promise<{ code: number; body: Record<string, unknown> } | undefined> {
    const target = this.find(step.path);
    if (!target || target.subresource) return undefined;
    const { resource, namespace, dryRun } = target;
    if (typeof step.body !== 'object' || step.body === null) return undefined;
    try {
      if (step.method === 'POST') {
        const object = this.#decode(resource, structuredClone(step.body));
        const stored = await this.#create(resource, object, namespace, dryRun);
        if (!dryRun) this.#objects.set(keyOf(resource, namespace, stored.metadata.name ?? ''), stored);
        return { code: 201, body: stored };
      }
      const key = keyOf(resource, namespace, target.name);
      const old = this.#objects.get(key);
      if (!old) return undefined;
      let next: unknown = step.body;
      if (step.method === 'PATCH') {
        const type = step.headers?.['content-type'] ?? '';
        if (type !== 'application/merge-patch+json') return undefined;
        next = mergePatch(structuredClone(old), step.body);
      } else if (step.method !== 'PUT') {
        return undefined;
      }
      const object = this.#decode(resource, next);
      const stored = await this.#update(resource, object, old, namespace, dryRun);
      if (!dryRun) this.#objects.set(key, stored);
      return { code: 200, body: stored };
    } catch (error) {
      const status = (error as { status?: Record<string, unknown> }).status;
      if (!status) throw error;
      return { code: status.code as number, body: status };
    }
  }

  #decode(resource: ResourceDefinition, body: unknown): KubeObject {
    const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
    const { object } = this.#codec.decodeValue({ type: resource.type, apiVersion, kind: resource.kind }, body);
    object.kind = resource.kind;
    object.apiVersion = apiVersion;
    object.metadata ??= {};
    this.#codec.applyDefaults(resource.type, object);
    return object;
  }

  async #create(resource: ResourceDefinition, object: KubeObject, namespace: string, dryRun: boolean): Promise<KubeObject> {
    const meta = object.metadata;
    if (namespace) meta.namespace = namespace;
    else if (!resource.namespaced) delete meta.namespace;
    meta.uid = '11111111-1111-1111-1111-111111111111';
    meta.creationTimestamp = '2026-01-01T00:00:00Z';
    delete meta.deletionTimestamp;
    delete meta.deletionGracePeriodSeconds;
    delete meta.resourceVersion;
    delete meta.managedFields;
    if (!meta.name && meta.generateName) meta.name = `${meta.generateName.slice(0, 58)}<gen>`.replace('<gen>', 'abcde');
    if (resource.plural === 'pods') imitatePodAdmission(object);
    if (resource.plural === 'persistentvolumeclaims') meta.finalizers = [...(meta.finalizers ?? []), 'kubernetes.io/pvc-protection'];
    if (resource.plural === 'persistentvolumes') meta.finalizers = [...(meta.finalizers ?? []), 'kubernetes.io/pv-protection'];
    const context = this.#context(namespace, dryRun, undefined);
    if (resource.strategy?.generation) meta.generation = 1;
    await resource.strategy?.prepareForCreate?.(object, context);
    refuse(resource, object, validateNewObject(resource, object, context));
    meta.resourceVersion = String(++this.#revision);
    return this.#codec.normalize(resource.type, object);
  }

  async #update(
    resource: ResourceDefinition,
    object: KubeObject,
    old: KubeObject,
    namespace: string,
    dryRun: boolean,
  ): Promise<KubeObject> {
    const meta = object.metadata;
    if (namespace) meta.namespace = namespace;
    meta.creationTimestamp = old.metadata.creationTimestamp;
    meta.uid ??= old.metadata.uid;
    if (resource.strategy?.unconditionalUpdate !== false) meta.resourceVersion ??= old.metadata.resourceVersion;
    meta.generation = old.metadata.generation;
    if (resource.plural === 'pods') addTolerations((object.spec ?? {}) as object);
    const context = this.#context(namespace, dryRun, old);
    await resource.strategy?.prepareForUpdate?.(object, old, context);
    refuse(resource, object, validateChangedObject(resource, object, old, context));
    meta.resourceVersion = String(++this.#revision);
    return this.#codec.normalize(resource.type, object);
  }

  #context(namespace: string, dryRun: boolean, old: KubeObject | undefined): StrategyContext {
    const validation: ValidationContext = {
      validate: (type, value, path, errors) => this.#codec.validate(type, value, path, errors, validation),
      ...(old ? { old } : {}),
      options: new Map(),
    };
    return { user: { name: 'admin', groups: ['system:masters'] }, namespace, dryRun, reader: this.#reader, validation, warn() {} };
  }

  readonly #reader: ApiReader = {
    get: () => undefined,
    list: () => [],
    onChange: () => () => {},
    cluster: {
      name: 'golden',
      clusterDomain: 'cluster.local',
      serviceCIDRs: ['10.0.0.0/16'],
      podCIDRs: ['10.244.0.0/16'],
      clusterDNS: ['10.0.0.10'],
      nodePortRange: [30000, 32767],
    },
    authorize: async () => ({ decision: 'allow' }) as never,
  };
}

const keyOf = (resource: ResourceDefinition, namespace: string, name: string): string =>
  `${resource.group}/${resource.plural}/${namespace}/${name}`;

function refuse(resource: ResourceDefinition, object: KubeObject, errors: FieldErrors): void {
  if (!errors.empty) throw errors.toStatusError(resource.kind, resource.storedAs?.group ?? resource.group, object.metadata.name ?? '');
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = target && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** What the plugins for service accounts, priority and tolerations add to a pod. */
function imitatePodAdmission(pod: KubeObject): void {
  const spec = (pod.spec ??= {}) as Record<string, never> & Record<string, unknown>;
  const mutable = spec as Record<string, unknown>;
  mutable.serviceAccountName ??= 'default';
  mutable.priority ??= 0;
  mutable.preemptionPolicy ??= 'PreemptLowerPriority';
  addTolerations(mutable);
  if (mutable.automountServiceAccountToken === false || pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return;
  const name = 'kube-api-access-abcde';
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
  ];
  mutable.volumes = [...((mutable.volumes as unknown[] | undefined) ?? []), { name, projected: { sources, defaultMode: 420 } }];
  for (const list of ['containers', 'initContainers']) {
    for (const container of (mutable[list] as Record<string, unknown>[] | undefined) ?? []) {
      const mounts = (container.volumeMounts as Record<string, unknown>[] | undefined) ?? [];
      const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
      if (!mounts.some((mount) => mount.mountPath === mountPath)) container.volumeMounts = [...mounts, { name, readOnly: true, mountPath }];
    }
  }
}

function addTolerations(spec: { tolerations?: { key?: string }[] }): void {
  const { tolerations = [] } = spec;
  for (const state of ['not-ready', 'unreachable']) {
    const key = `node.kubernetes.io/${state}`;
    if (!tolerations.some((toleration) => toleration.key === key))
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 } as { key: string });
  }
  spec.tolerations = tolerations;
}

/** Runs a case's steps; an outcome for each step with an answer that can be compared. */
export async function replay(testCase: GoldenCase, groups: ApiGroup[]): Promise<Outcome[]> {
  const server = new OfflineServer(groups);
  const saved = new Map<string, unknown>();
  const outcomes: Outcome[] = [];
  for (const raw of testCase.steps) {
    if (raw.cleanup) continue;
    const step = substitute(raw, saved);
    const answer = await server.answer(step);
    if (!answer || !step.expect) continue;
    for (const [name, path] of Object.entries(step.save ?? {})) saved.set(name, pathValue(answer.body, path));
    const outcome = compare(testCase.id, step, answer);
    if (outcome) outcomes.push(outcome);
  }
  return outcomes;
}

function pathValue(body: unknown, path: string): unknown {
  if (path === '') return structuredClone(body);
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body);
}

function substitute(step: Step, saved: ReadonlyMap<string, unknown>): Step {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const whole = /^\{\$(\w+)\}$/.exec(value);
      if (whole && saved.has(whole[1] ?? '')) return structuredClone(saved.get(whole[1] ?? ''));
      return value
        .replaceAll('{ns}', 'ns-x')
        .replaceAll('{id}', 'id00')
        .replace(/\{\$(\w+)\}/g, (_, name) => String(saved.get(name)));
    }
    if (Array.isArray(value)) return value.map(walk);
    if (value && typeof value === 'object')
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key.replaceAll('{id}', 'id00').replaceAll('{ns}', 'ns-x'), walk(item)]),
      );
    return value;
  };
  const body = walk(step.body);
  return { ...step, path: String(walk(step.path)), body: step.merge === undefined ? body : mergePatch(body, walk(step.merge)) };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

function normal(text: string): string {
  return text
    .replaceAll('11111111-1111-1111-1111-111111111111', '<uid>')
    .replaceAll('ns-x', '<ns>')
    .replaceAll('id00', '<id>')
    .replace(/(kube-api-access-)abcde/g, '$1<gen>')
    .replace(/([A-Za-z0-9_.-])abcde\b/g, '$1<gen>')
    .replace(UUID, (uid) => uid);
}

/** Answers that are not the strategies': conflicts, names in URLs, admission. */
function isOfServer({ code, body }: NonNullable<Step['expect']>): boolean {
  return (
    code === 409 ||
    code === 500 ||
    code === 403 ||
    /resourceVersion: Invalid value: 0: must be/.test(String(body?.message)) ||
    (code === 400 && /^the name(space)? of the /.test(String(body?.message)))
  );
}

function compare(id: string, step: Step, answer: { code: number; body: Record<string, unknown> }): Outcome | undefined {
  const { expect } = step;
  if (!expect || isOfServer(expect)) return undefined;
  const kind = id.split('/')[1] ?? '';
  const describe = (code: number, body: Record<string, unknown> | undefined): string => {
    if (code < 300) return String(code);
    const details = body?.details as { causes?: { field?: string; message?: string; reason?: string }[] } | undefined;
    const causes = (details?.causes ?? []).map(({ field, message, reason }) => `${field}: ${message} (${reason})`);
    if (step.sortCauses) causes.sort();
    const text = causes.length && step.sortCauses ? '' : (body?.message as string | undefined);
    const compareCauses = !step.only || step.only.some((path) => path.startsWith('body.details'));
    return `${code} ${text ?? ''}\n${compareCauses ? causes.join('\n') : ''}`;
  };
  const expected = describe(expect.code, expect.body);
  const actual = normal(describe(answer.code, answer.body));
  return { id, kind, exact: expected === actual, codeEqual: expect.code === answer.code, expected, actual };
}
