import type {
  Admission,
  AdmissionOperation,
  ApiGroup,
  ApiService,
  Authenticator,
  Authorizer,
  ClusterSettings,
  Extensions,
  Logger,
  MetricsFactory,
  PerConsumer,
  Store,
  UserInfo,
} from '@kubernel/sdk';
import { type AdmissionSubject, Admissions, admissionAttributes } from './admission.ts';
import { type Api, type OpenApi, SYSTEM_USER } from './api.ts';
import { Authentication, Authorization } from './auth.ts';
import { WatchCache } from './cache/watch-cache.ts';
import { WatchHub } from './cache/watcher.ts';
import { Writer } from './cache/writer.ts';
import type { Call } from './call.ts';
import type { Codec } from './codec.ts';
import { CustomResourceServer } from './crd/custom-resources.ts';
import type { CustomTypes } from './crd/custom-type.ts';
import { Health } from './health.ts';
import { Metrics } from './metrics.ts';
import { type Documents, NonResource } from './non-resource.ts';
import type { Patcher } from './patcher.ts';
import { CacheReader } from './reader.ts';
import { Registry, type Resource } from './registry.ts';
import { perConsumer, serviceFor } from './service.ts';

/** What an API server is made of; the plugin's entry takes it from its context, tests from fixtures. */
export interface Parts {
  store: Store;
  groups: Iterable<ApiGroup>;
  authenticators: Extensions<Authenticator>;
  authorizers: Extensions<Authorizer>;
  admission: Extensions<Admission>;
  cluster: ClusterSettings;
  log: Logger;
  metrics: MetricsFactory;
  makeTypes(groups: readonly ApiGroup[], custom: CustomTypes): { codec: Codec; patcher: Patcher; openApi?: OpenApi };
  documents(api: Api): Documents;
  metricsText(): Promise<string>;
}

export interface Assembled {
  readonly api: Api;
  readonly health: Health;
  readonly nonResource: NonResource;
  readonly metrics: Metrics;
  readonly services: Map<string, unknown>;
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  /** Per-consumer apiserver/v1, for the host. */
  readonly service: PerConsumer<ApiService>;
  /** apiserver/v1 under an identity, for use inside the isolate. */
  connect(user: UserInfo): ApiService;
  /** Takes a new set of groups; requests on their way finish with the old one. */
  setGroups(groups: Iterable<ApiGroup>): void;
  /** Tells authenticators, authorizers and admission plugins where to read. After `start`. */
  initExtensions(): Promise<void>;
  /** Starts following the store; resolves when the cache is complete. */
  start(signal: AbortSignal): Promise<void>;
  close(): void;
}

export function assemble(parts: Parts): Assembled {
  const { store, log, cluster } = parts;
  const cache = new WatchCache(store, log);
  const hub = new WatchHub(cache);
  const writer = new Writer(store);
  const authentication = new Authentication(parts.authenticators);
  const authorization = new Authorization(parts.authorizers);
  const admission = new Admissions(parts.admission);
  const metrics = new Metrics(parts.metrics);
  const services = new Map<string, unknown>();
  const reader = new CacheReader(
    cache,
    cluster,
    (attributes) => authorization.authorize(attributes),
    () => api.registry,
  );
  const groups = [...parts.groups];
  const custom: CustomTypes = new Map();
  const { codec, patcher, openApi } = parts.makeTypes(groups, custom);
  const api: Api = {
    registry: new Registry(groups, cache, codec),
    codec,
    patcher,
    openApi,
    cache,
    hub,
    writer,
    reader,
    admission,
    authorize: (attributes) => authorization.authorize(attributes),
    cluster,
    log,
    services,
    store,
    attributes: (call: Call, resource: Resource, operation: AdmissionOperation, subject: AdmissionSubject) =>
      admissionAttributes(call, resource, operation, subject),
  };
  const health = new Health();
  health.add('ping', () => undefined);
  health.add('watch-cache', () => (cache.ready ? undefined : 'the first snapshot of the store is not complete'), ['readyz']);
  const nonResource = new NonResource(api, health, parts.documents(api), parts.metricsText);
  return {
    api,
    health,
    nonResource,
    metrics,
    services,
    authentication,
    authorization,
    service: perConsumer(api, authorization, metrics, nonResource.respond),
    connect: (user) => serviceFor(api, user, metrics, nonResource.respond),
    setGroups(next) {
      const list = [...next];
      Object.assign(api, parts.makeTypes(list, custom));
      api.registry = new Registry(list, cache, api.codec, api.registry);
    },
    async start(signal) {
      await cache.start(signal);
      new CustomResourceServer(api, custom, serviceFor(api, SYSTEM_USER, metrics, nonResource.respond)).start();
    },
    async initExtensions() {
      for (const { instance } of parts.authenticators) await instance.init?.(reader);
      for (const { instance } of parts.authorizers) await instance.init?.(reader);
      await admission.init(reader);
    },
    close() {
      hub.close();
    },
  };
}
