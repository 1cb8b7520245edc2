import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../api/object.ts';
import { parseFieldSelector, parseSelector, type Selector } from '../api/selector.ts';
import { StatusError } from '../errors.ts';
import type { ApiRequest, ApiResponse, ApiService } from '../roles/apiserver.ts';

/**
 * A fake API server in memory, for the unit tests of controllers: generic REST semantics (create, compare-and-swap,
 * merge and JSON patches, finalizers and graceful deletion, paged lists, watches that resume, 410) for any resource it is
 * told of. It has no authentication, no defaulting, no validation and no admission: the real one is tested end to end.
 *
 * @example
 * const api = new FakeApi();
 * const client = createClient(api);
 * api.put(PODS, { metadata: { name: 'a', namespace: 'default' }, spec: { containers: [] } });
 */
export class FakeApi implements ApiService {
  /** Every request, as `POST /api/v1/namespaces/default/pods`, oldest first. Watches are not among them. */
  readonly requests: string[] = [];
  /** Called before each request; throw a StatusError to refuse it, return a promise to delay it. */
  onRequest: ((request: ApiRequest) => void | Promise<void>) | undefined;
  /** Called with each change, after the watchers were told: a place to play the kubelet or another controller. */
  onChange: ((type: 'ADDED' | 'MODIFIED' | 'DELETED', resource: string, object: KubeObject) => void) | undefined;
  revision = 100;
  readonly #kinds = new Map<string, FakeKind>();
  /** By collection key `group/plural`, then by `namespace/name`. */
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #history: Change[] = [];
  readonly #watchers = new Set<FakeWatch>();
  readonly #held = new Set<string>();
  readonly #pages = new Map<string, { items: KubeObject[]; revision: number }>();
  #compacted = 0;

  constructor(kinds: readonly FakeKind[] = BUILT_IN) {
    for (const kind of kinds) this.#kinds.set(`${kind.group}/${kind.resource}`, kind);
  }

  // ---------------------------------------------------------------------------------------------- for tests

  /** Stores an object as it is (create or replace), with the metadata a server fills in. Returns the stored one. */
  put<T extends KubeObject>(resource: { group: string; resource: string }, object: T): T {
    const kind = this.#kind(resource);
    const key = keyOf(object);
    const old = this.#collection(kind).get(key);
    const stored = structuredClone(object);
    this.#fillIn(kind, stored, old);
    return this.#store(kind, stored, old ? 'MODIFIED' : 'ADDED') as T;
  }

  get<T extends KubeObject>(resource: { group: string; resource: string }, key: string): T | undefined {
    return this.#collection(this.#kind(resource)).get(key) as T | undefined;
  }

  all<T extends KubeObject>(resource: { group: string; resource: string }): T[] {
    return [...this.#collection(this.#kind(resource)).values()] as T[];
  }

  /** Removes an object at once, whatever its finalizers: what a kubelet does at the end. */
  remove(resource: { group: string; resource: string }, key: string): void {
    const kind = this.#kind(resource);
    const object = this.#collection(kind).get(key);
    if (object) this.#drop(kind, object);
  }

  /** Breaks the connection of every watch: readers see ERR_API_UNAVAILABLE. */
  disconnect(): void {
    for (const watcher of [...this.#watchers]) watcher.fail(Object.assign(new Error('connection lost'), { code: 'ERR_API_UNAVAILABLE' }));
  }

  /** Ends every watch as a server does when its time is over. */
  closeWatches(): void {
    for (const watcher of [...this.#watchers]) watcher.end();
  }

  /** Keeps the events of a resource back from its watchers, until {@link release}: readers that lag behind. */
  hold(resource: { resource: string }): void {
    this.#held.add(resource.resource);
  }

  release(resource: { resource: string }): void {
    this.#held.delete(resource.resource);
    for (const watcher of this.#watchers) watcher.wake();
  }

  /** Forgets the history up to now: whoever resumes from before gets 410. */
  compact(): void {
    this.#compacted = this.revision;
    this.#history.length = 0;
    this.#pages.clear();
  }

  /** Sends a bookmark at the current revision to all watches that asked for them. */
  bookmark(): void {
    for (const watcher of this.#watchers) watcher.bookmark(this.revision);
  }

  get watches(): number {
    return this.#watchers.size;
  }

  /** Teaches it one more resource (a custom one). */
  serve(kind: FakeKind): void {
    this.#kinds.set(`${kind.group}/${kind.resource}`, kind);
  }

  // ---------------------------------------------------------------------------------------------- ApiService

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(`${request.method} ${request.path}`);
    try {
      await this.onRequest?.(request);
      const [path = '', query = ''] = request.path.split('?');
      return { code: request.method === 'POST' ? 201 : 200, body: JSON.stringify(this.#answer(request, path, new URLSearchParams(query))) };
    } catch (error) {
      const { status } = error as StatusError;
      if (!status) throw error;
      return { code: status.code ?? 500, body: JSON.stringify(status) };
    }
  }

  watch(request: ApiRequest): AsyncIterable<string> {
    const [path = '', queryText = ''] = request.path.split('?');
    const query = new URLSearchParams(queryText);
    return { [Symbol.asyncIterator]: () => this.#openWatch(path, query) };
  }

  #openWatch(path: string, query: URLSearchParams): FakeWatch {
    const target = this.#target(path);
    const matches = matcher(target, query);
    const watcher = new FakeWatch(target.kind, matches, query.get('allowWatchBookmarks') === 'true', {
      held: () => this.#held.has(target.kind.resource),
      closed: () => this.#watchers.delete(watcher),
    });
    const from = query.get('resourceVersion');
    if (query.get('sendInitialEvents') === 'true' || from === null || from === '0' || from === '') {
      for (const object of this.#collection(target.kind).values()) if (matches(object)) watcher.push('ADDED', object);
      if (query.get('sendInitialEvents') === 'true') watcher.bookmark(this.revision, true);
    } else if (Number(from) < this.#compacted) {
      watcher.fail(new StatusError(410, 'Expired', `too old resource version: ${from} (${this.#compacted})`));
      return watcher;
    } else {
      for (const change of this.#history) if (change.revision > Number(from) && change.kind === target.kind) watcher.change(change);
    }
    this.#watchers.add(watcher);
    return watcher;
  }

  #answer(request: ApiRequest, path: string, query: URLSearchParams): unknown {
    if (path === '/api' || path === '/apis' || /^\/(api|apis\/[^/]+)\/[^/]+$/.test(path)) return this.#discovery(path);
    const target = this.#target(path);
    if (target.name === '' && request.method === 'GET') return this.#list(target, query);
    if (target.name === '' && request.method === 'DELETE') return this.#deleteCollection(target, query, request.body);
    if (request.method === 'POST') return this.#create(target, parse(request.body));
    const object = this.#collection(target.kind).get(target.namespace ? `${target.namespace}/${target.name}` : target.name);
    if (!object) throw notFound(target.kind, target.name);
    if (request.method === 'GET') return object;
    if (request.method === 'DELETE') return this.#delete(target.kind, object, parse(request.body ?? '{}'));
    const next = request.method === 'PUT' ? parse(request.body) : patched(object, request);
    return this.#update(target, object, next);
  }

  #list(target: Target, query: URLSearchParams): unknown {
    const matches = matcher(target, query);
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue');
    let items: KubeObject[];
    let revision = this.revision;
    if (token) {
      const rest = this.#pages.get(token);
      if (!rest) throw new StatusError(410, 'Expired', 'The provided continue parameter is too old to display a consistent list result.');
      ({ items, revision } = rest);
    } else {
      items = [...this.#collection(target.kind).values()].filter(matches);
    }
    let next: string | undefined;
    if (limit > 0 && items.length > limit) {
      next = randomUUID();
      this.#pages.set(next, { items: items.slice(limit), revision });
      items = items.slice(0, limit);
    }
    return {
      kind: `${target.kind.kind}List`,
      apiVersion: apiVersionOf(target.kind),
      metadata: { resourceVersion: String(revision), ...(next ? { continue: next } : {}) },
      items: items.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
    };
  }

  #create(target: Target, object: KubeObject): unknown {
    if (target.subresource) return this.#createSubresource(target, object);
    object.metadata ??= {};
    if (target.namespace) object.metadata.namespace = target.namespace;
    if (!object.metadata.name) {
      if (!object.metadata.generateName) throw new StatusError(422, 'Invalid', 'name or generateName is required');
      object.metadata.name = object.metadata.generateName + randomUUID().slice(0, 5);
    }
    const existing = this.#collection(target.kind).get(keyOf(object));
    if (existing) {
      throw new StatusError(409, 'AlreadyExists', `${plural(target.kind)} "${object.metadata.name}" already exists`, {
        name: object.metadata.name,
        kind: target.kind.resource,
      });
    }
    delete object.metadata.resourceVersion;
    delete object.metadata.uid;
    this.#fillIn(target.kind, object, undefined);
    return this.#store(target.kind, object, 'ADDED');
  }

  /** Bindings, the one POST below an object that controllers under test need. */
  #createSubresource(target: Target, body: KubeObject): unknown {
    const pod = this.#collection(target.kind).get(`${target.namespace}/${target.name}`);
    if (!pod) throw notFound(target.kind, target.name);
    if (target.subresource !== 'binding') throw new StatusError(404, 'NotFound', 'the fake API has no such subresource');
    const node = (body.target as { name: string }).name;
    const next = structuredClone(pod);
    (next.spec as { nodeName?: string }).nodeName = node;
    this.#store(target.kind, next, 'MODIFIED');
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  }

  #update(target: Target, old: KubeObject, sent: KubeObject): KubeObject {
    const { kind, subresource } = target;
    const { uid, resourceVersion } = sent.metadata ?? {};
    const name = old.metadata.name ?? '';
    if (uid && uid !== old.metadata.uid) {
      throw new StatusError(409, 'Conflict', `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`, {
        name,
        kind: kind.resource,
      });
    }
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
      throw new StatusError(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${plural(kind)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
        { name, kind: kind.resource },
      );
    }
    let next: KubeObject;
    if (subresource === 'status') next = { ...structuredClone(old), status: sent.status };
    else if (subresource === 'finalize') next = { ...structuredClone(old), spec: sent.spec };
    else next = { ...structuredClone(sent), ...(kind.status && old.status !== undefined ? { status: old.status } : {}) };
    this.#fillIn(kind, next, old);
    if (JSON.stringify(sorted(next)) === JSON.stringify(sorted(old))) return old;
    const finalizers =
      (next.metadata.finalizers ?? []).length +
      (kind.resource === 'namespaces' ? ((next.spec as { finalizers?: string[] })?.finalizers ?? []).length : 0);
    if (next.metadata.deletionTimestamp && finalizers === 0 && !next.metadata.deletionGracePeriodSeconds) return this.#drop(kind, next);
    return this.#store(kind, next, 'MODIFIED');
  }

  #delete(kind: FakeKind, object: KubeObject, options: FakeDeleteOptions): unknown {
    const { preconditions = {}, propagationPolicy } = options;
    const name = object.metadata.name ?? '';
    if (preconditions.uid && preconditions.uid !== object.metadata.uid) {
      throw new StatusError(
        409,
        'Conflict',
        `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${object.metadata.uid}`,
        { name },
      );
    }
    if (preconditions.resourceVersion && preconditions.resourceVersion !== object.metadata.resourceVersion) {
      throw new StatusError(409, 'Conflict', 'Precondition failed: ResourceVersion', { name });
    }
    const finalizers = new Set(object.metadata.finalizers ?? []);
    if (propagationPolicy) {
      finalizers.delete('orphan');
      finalizers.delete('foregroundDeletion');
      if (propagationPolicy === 'Orphan') finalizers.add('orphan');
      if (propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
    }
    const specFinalizers = kind.resource === 'namespaces' ? ((object.spec as { finalizers?: string[] })?.finalizers ?? []) : [];
    const bound = kind.resource === 'pods' && Boolean((object.spec as { nodeName?: string })?.nodeName) && !isFinished(object);
    const graceSeconds = bound
      ? (options.gracePeriodSeconds ?? (object.spec as { terminationGracePeriodSeconds?: number }).terminationGracePeriodSeconds ?? 30)
      : 0;
    if (finalizers.size === 0 && specFinalizers.length === 0 && graceSeconds === 0) return this.#drop(kind, object);
    const next = structuredClone(object);
    next.metadata.deletionTimestamp ??= stampAfter(graceSeconds);
    if (graceSeconds > 0) next.metadata.deletionGracePeriodSeconds = graceSeconds;
    if (finalizers.size > 0) next.metadata.finalizers = [...finalizers];
    else delete next.metadata.finalizers;
    if (kind.resource === 'namespaces') next.status = { ...(next.status as object), phase: 'Terminating' };
    if (JSON.stringify(next) === JSON.stringify(object)) return object;
    return this.#store(kind, next, 'MODIFIED');
  }

  #deleteCollection(target: Target, query: URLSearchParams, body: string | undefined): unknown {
    const matches = matcher(target, query);
    for (const object of [...this.#collection(target.kind).values()])
      if (matches(object)) this.#delete(target.kind, object, parse(body ?? '{}'));
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
  }

  #fillIn(kind: FakeKind, object: KubeObject, old: KubeObject | undefined): void {
    object.apiVersion = apiVersionOf(kind);
    object.kind = kind.kind;
    const { metadata } = object;
    metadata.uid = old?.metadata.uid ?? metadata.uid ?? randomUUID();
    metadata.creationTimestamp = old?.metadata.creationTimestamp ?? metadata.creationTimestamp ?? stampAfter(0);
    if (old?.metadata.deletionTimestamp) metadata.deletionTimestamp = old.metadata.deletionTimestamp;
    if (old?.metadata.resourceVersion) metadata.resourceVersion = old.metadata.resourceVersion;
    if (kind.generation) {
      const changed = old && JSON.stringify(sorted(old.spec)) !== JSON.stringify(sorted(object.spec));
      metadata.generation = old ? (old.metadata.generation ?? 1) + (changed ? 1 : 0) : 1;
    }
  }

  #store(kind: FakeKind, object: KubeObject, type: 'ADDED' | 'MODIFIED'): KubeObject {
    object.metadata.resourceVersion = String(++this.revision);
    const collection = this.#collection(kind);
    const old = collection.get(keyOf(object));
    collection.set(keyOf(object), object);
    this.#tell({ type, kind, object, old, revision: this.revision });
    return object;
  }

  #drop(kind: FakeKind, object: KubeObject): KubeObject {
    const old = this.#collection(kind).get(keyOf(object));
    this.#collection(kind).delete(keyOf(object));
    const final = structuredClone(object);
    final.metadata.resourceVersion = String(++this.revision);
    this.#tell({ type: 'DELETED', kind, object: final, old, revision: this.revision });
    return final;
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const watcher of this.#watchers) if (watcher.kind === change.kind) watcher.change(change);
    this.onChange?.(change.type, change.kind.resource, change.object);
  }

  #kind(resource: { group: string; resource: string }): FakeKind {
    const kind = this.#kinds.get(`${resource.group}/${resource.resource}`);
    if (!kind) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
    return kind;
  }

  #collection(kind: FakeKind): Map<string, KubeObject> {
    const key = `${kind.group}/${kind.resource}`;
    let collection = this.#objects.get(key);
    if (!collection) this.#objects.set(key, (collection = new Map()));
    return collection;
  }

  #target(path: string): Target {
    const match = PATH.exec(path);
    if (!match?.groups) throw new StatusError(404, 'NotFound', `the server could not find the requested resource: ${path}`);
    const { group = '', namespace = '', resource = '', name = '', subresource = '' } = match.groups;
    return { kind: this.#kind({ group, resource }), namespace, name: decodeURIComponent(name), subresource };
  }

  #discovery(path: string): unknown {
    if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
    if (path === '/apis') {
      const versions = new Map([...this.#kinds.values()].filter(({ group }) => group !== '').map(({ group, version }) => [group, version]));
      const groups = [...versions].map(([name, version]) => ({
        name,
        versions: [{ version, groupVersion: `${name}/${version}` }],
        preferredVersion: { version },
      }));
      return { kind: 'APIGroupList', apiVersion: 'v1', groups };
    }
    const group = path.startsWith('/apis/') ? (path.split('/')[2] ?? '') : '';
    const resources = [...this.#kinds.values()]
      .filter((kind) => kind.group === group)
      .map(({ resource, kind, clusterScoped }) => ({ name: resource, kind, namespaced: !clusterScoped, verbs: VERBS }));
    return { kind: 'APIResourceList', groupVersion: path.replace(/^\/apis?\//, ''), resources };
  }
}

export interface FakeKind {
  group: string;
  version: string;
  resource: string;
  kind: string;
  clusterScoped?: boolean;
  /** Status is a subresource: an update of the object does not change it. */
  status?: boolean;
  generation?: boolean;
}

interface FakeDeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  preconditions?: { uid?: string; resourceVersion?: string };
}

interface Target {
  kind: FakeKind;
  namespace: string;
  name: string;
  subresource: string;
}

interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  kind: FakeKind;
  object: KubeObject;
  old: KubeObject | undefined;
  revision: number;
}

class FakeWatch implements AsyncIterator<string> {
  readonly kind: FakeKind;
  readonly #matches: (object: KubeObject) => boolean;
  readonly #bookmarks: boolean;
  readonly #owner: { held(): boolean; closed(): void };
  #text = '';
  #failure: unknown;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(kind: FakeKind, matches: (object: KubeObject) => boolean, bookmarks: boolean, owner: { held(): boolean; closed(): void }) {
    this.kind = kind;
    this.#matches = matches;
    this.#bookmarks = bookmarks;
    this.#owner = owner;
  }

  /** An object that leaves the selection is deleted for this watcher, one that enters it is new. */
  change({ type, object, old }: Change): void {
    const is = type !== 'DELETED' && this.#matches(object);
    const was = type !== 'ADDED' && old !== undefined && this.#matches(old);
    if (is) this.push(was ? 'MODIFIED' : 'ADDED', object);
    else if (was) this.push('DELETED', object);
  }

  push(type: string, object: KubeObject): void {
    this.#text += `${JSON.stringify({ type, object })}\n`;
    this.#wake?.();
  }

  bookmark(revision: number, initialEventsEnd = false): void {
    if (!this.#bookmarks) return;
    const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    this.push('BOOKMARK', {
      kind: this.kind.kind,
      apiVersion: apiVersionOf(this.kind),
      metadata: { resourceVersion: String(revision), ...annotations },
    });
  }

  wake(): void {
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= error;
    this.end();
  }

  end(): void {
    this.#ended = true;
    this.#owner.closed();
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<string>> {
    for (;;) {
      if (this.#text !== '' && !this.#owner.held()) {
        const value = this.#text;
        this.#text = '';
        return { done: false, value };
      }
      if (this.#failure) {
        const failure = this.#failure;
        this.#failure = undefined;
        throw failure;
      }
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<string>> {
    this.end();
    return { done: true, value: undefined };
  }
}

const PATH =
  /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))(?:\/namespaces\/(?<namespace>[^/]+)(?=\/(?!finalize|status)))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function matcher(target: Target, query: URLSearchParams): (object: KubeObject) => boolean {
  const selector: Selector | undefined = query.get('labelSelector') ? parseSelector(query.get('labelSelector') ?? '') : undefined;
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  return (object) => {
    if (target.namespace && object.metadata.namespace !== target.namespace) return false;
    if (selector && !selector.matches(object.metadata.labels)) return false;
    return fields.every(({ field, operator, value }) => (String(at(object, field.split('.')) ?? '') === value) === (operator === '='));
  };
}

function at(object: unknown, path: string[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], object);
}

function patched(object: KubeObject, { contentType, body }: ApiRequest): KubeObject {
  const patch = parse<unknown>(body);
  if (contentType === 'application/json-patch+json') return jsonPatched(object, patch as JsonPatchStep[]);
  return mergePatched(object, patch) as KubeObject;
}

function mergePatched(value: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete result[key];
    else result[key] = mergePatched(result[key], change);
  }
  return result;
}

interface JsonPatchStep {
  op: string;
  path: string;
  value?: unknown;
}

function jsonPatched(object: KubeObject, steps: JsonPatchStep[]): KubeObject {
  const result = structuredClone(object);
  for (const { op, path, value } of steps) {
    const names = path
      .slice(1)
      .split('/')
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    const parent = at(result, names) as Record<string, unknown> | unknown[] | undefined;
    if (parent === undefined) throw new StatusError(422, 'Invalid', `the path ${path} does not exist`);
    if (op === 'test') {
      if (JSON.stringify((parent as Record<string, unknown>)[last]) !== JSON.stringify(value))
        throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request');
    } else if (op === 'remove') {
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else delete parent[last];
    } else if (Array.isArray(parent)) {
      if (op === 'add') parent.splice(last === '-' ? parent.length : Number(last), 0, value);
      else parent[Number(last)] = value;
    } else {
      parent[last] = value;
    }
  }
  return result;
}

function parse<T = KubeObject>(body: string | undefined): T {
  return JSON.parse(body ?? '') as T;
}

function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? '');
}

function apiVersionOf({ group, version }: FakeKind): string {
  return group === '' ? version : `${group}/${version}`;
}

function plural({ group, resource }: FakeKind): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function notFound(kind: FakeKind, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${plural(kind)} "${name}" not found`, {
    name,
    kind: kind.resource,
    ...(kind.group ? { group: kind.group } : {}),
  });
}

function isFinished(pod: KubeObject): boolean {
  const phase = (pod.status as { phase?: string } | undefined)?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}

function stampAfter(seconds: number): string {
  return `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

function kinds(group: string, version: string, list: string, extra: Partial<FakeKind> = {}): FakeKind[] {
  return list.split(' ').map((entry) => {
    const [resource = '', kind = ''] = entry.split(':');
    return { group, version, resource, kind, ...extra };
  });
}

const BUILT_IN: readonly FakeKind[] = [
  ...kinds('', 'v1', 'configmaps:ConfigMap endpoints:Endpoints events:Event secrets:Secret serviceaccounts:ServiceAccount'),
  ...kinds('', 'v1', 'pods:Pod services:Service replicationcontrollers:ReplicationController', { status: true }),
  ...kinds('', 'v1', 'namespaces:Namespace nodes:Node', { clusterScoped: true, status: true }),
  ...kinds('apps', 'v1', 'deployments:Deployment replicasets:ReplicaSet statefulsets:StatefulSet daemonsets:DaemonSet', {
    status: true,
    generation: true,
  }),
  ...kinds('apps', 'v1', 'controllerrevisions:ControllerRevision'),
  ...kinds('batch', 'v1', 'jobs:Job cronjobs:CronJob', { status: true, generation: true }),
  ...kinds('coordination.k8s.io', 'v1', 'leases:Lease'),
  ...kinds('policy', 'v1', 'poddisruptionbudgets:PodDisruptionBudget', { status: true, generation: true }),
  ...kinds('discovery.k8s.io', 'v1', 'endpointslices:EndpointSlice', { generation: true }),
  ...kinds('rbac.authorization.k8s.io', 'v1', 'roles:Role rolebindings:RoleBinding'),
  ...kinds('rbac.authorization.k8s.io', 'v1', 'clusterroles:ClusterRole clusterrolebindings:ClusterRoleBinding', { clusterScoped: true }),
];
