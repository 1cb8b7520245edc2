import { randomUUID } from 'node:crypto';
import type {
  AdmissionAttributes,
  AdmissionOperation,
  ApiGroup,
  ApiReader,
  AuthzAttributes,
  AuthzDecision,
  ClusterSettings,
  Logger,
  ResourceDefinition,
  Store,
  StrategyContext,
  UserInfo,
} from '@kubernel/sdk';
import type { FieldErrors, KubeObject } from '@kubernel/sdk/api';
import { validateChangedObject, validateNewObject } from '@kubernel/sdk/api';
import type { AdmissionSubject } from './admission.ts';
import type { WatchCache } from './cache/watch-cache.ts';
import type { WatchHub } from './cache/watcher.ts';
import type { Writer } from './cache/writer.ts';
import type { Call } from './call.ts';
import type { Codec } from './codec.ts';
import type { Patcher } from './patcher.ts';
import type { Registry, Resource } from './registry.ts';

/** Everything a request handler works with. One per API server; the registry is replaced when the set of groups changes. */
export interface Api {
  registry: Registry;
  codec: Codec;
  patcher: Patcher;
  /** Schemas for clients, made when asked for. */
  openApi: OpenApi | undefined;
  readonly cache: WatchCache;
  readonly hub: WatchHub;
  readonly writer: Writer;
  readonly reader: ApiReader;
  readonly admission: AdmissionChain;
  readonly authorize: Authorize;
  readonly cluster: ClusterSettings;
  readonly log: Logger;
  /** What the server lends to actions by name. */
  readonly services: ReadonlyMap<string, unknown>;
  readonly store: Store;
  attributes(call: Call, resource: Resource, operation: AdmissionOperation, subject: AdmissionSubject): AdmissionAttributes;
}

export interface OpenApi {
  v2(custom: readonly ApiGroup[]): object;
  /** `apis/apps/v1` -> its document. What makes it is the same function as long as the document is the same. */
  v3(custom: readonly ApiGroup[]): Map<string, () => object>;
}

export interface AdmissionChain {
  admit(attributes: AdmissionAttributes): Promise<void> | undefined;
  validate(attributes: AdmissionAttributes): Promise<void> | undefined;
}

/** Asks the authorizers in order; their `no-opinion` is a deny. */
export type Authorize = (attributes: AuthzAttributes) => AuthzDecision | Promise<AuthzDecision>;

export function strategyContext(api: Api, call: Call, namespace: string, dryRun: boolean, old?: KubeObject): StrategyContext {
  const options = new Map<string, unknown>();
  return {
    user: call.user,
    namespace,
    dryRun,
    reader: api.reader,
    validation: {
      options,
      ...(old ? { old } : {}),
      validate(type, value, path, errors) {
        api.codec.validate(type, value, path, errors, this);
      },
    },
    warn: (message) => call.warnings.push(message),
  };
}

export function throwInvalid(
  definition: { kind: string; group: string; storedAs?: { group?: string } },
  name: string,
  errors: FieldErrors,
): void {
  if (!errors.empty) throw errors.toStatusError(definition.kind, definition.storedAs?.group ?? definition.group, name);
}

export function validateCreated(definition: ResourceDefinition, object: KubeObject, context: StrategyContext): void {
  throwInvalid(definition, object.metadata.name ?? '', validateNewObject(definition, object, context));
}

export function validateUpdated(definition: ResourceDefinition, object: KubeObject, old: KubeObject, context: StrategyContext): void {
  throwInvalid(definition, object.metadata.name ?? '', validateChangedObject(definition, object, old, context));
}

export const newUid = (): string => randomUUID();

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(ms = Date.now()): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export const SYSTEM_USER: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
