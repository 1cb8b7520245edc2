import type { FieldErrors, FieldPath } from '../api/field-errors.ts';
import type { KubeObject, ObjectMeta } from '../api/object.ts';
import type { UserInfo } from './auth.ts';

/**
 * api/v1: an API group. An extension in the API server's isolate: kinds as data (type tables, table columns) plus
 * small functions (strategies, validators). The API server owns everything generic: decoding, defaulting walk, patch,
 * apply, storage, watch, discovery, OpenAPI.
 */
export interface ApiGroup {
  /** `''` is the core group. */
  readonly group: string;
  /** Served versions, preferred first. */
  readonly versions: readonly string[];
  /** Position in /apis: upstream's group priority; groups are listed by descending priority, then as registered. */
  readonly priority?: number;
  /** Every type this group defines, by its full name (`core.v1.Container`). Types of other groups are referred to by name. */
  readonly types: TypeTable;
  /** What holds for a type as a whole, by type name. */
  readonly traits?: Readonly<Record<string, TypeTraits>>;
  /** Values filled in by the defaulting walk, by type name. The walk visits children before or after as the function says. */
  readonly defaults?: Readonly<Record<string, DefaultFunction>>;
  /** Validation by type name; called by strategies and by other groups through {@link ValidationContext.validate}. */
  readonly validators?: Readonly<Record<string, Validator>>;
  readonly resources: readonly ResourceDefinition[];
}

// ---------------------------------------------------------------------------------------------------- type tables

/** A type: its fields in Go order, by JSON name. An inlined Go struct's fields are spelt out. */
export interface TypeSchema {
  /** `core.v1.Container`. */
  name: string;
  fields: Map<string, FieldSchema>;
  /** True for types whose Go struct is one atomic value to server-side apply. */
  atomic?: boolean;
  /** At most one of these fields is meant at a time; `discriminator` says which. Server-side apply and OpenAPI know it. */
  union?: TypeUnion;
  /** Set for types from CustomResourceDefinitions: fields beyond the known ones are kept. */
  preserveUnknown?: boolean;
}

export interface FieldSchema {
  name: string;
  type: TypeRef;
  /** Name of the Go type as decode errors print it: `v1.ObjectMeta`, `string`, `int32`. */
  goType: string;
  /** Protobuf field number, 0 when the type has no protobuf form. */
  number: number;
  /** Names of the embedded Go structs this field comes from, as decode errors print them: `RuleWithOperations.Rule`. */
  via?: string;
  /** Protobuf numbers of the messages those embedded structs are, outermost first. */
  within?: readonly number[];
  /** Left out when empty. Without it the zero value is written (`"creationTimestamp": null`, `"status": {}`, `"name": ""`). */
  omitEmpty: boolean;
  /** Go's `omitzero`: a struct or a time without content is left out, where `omitempty` alone would write it. */
  omitZero?: boolean;
  /** A Go pointer: absent and zero differ. */
  pointer: boolean;
  required: boolean;
  listType?: 'atomic' | 'set' | 'map';
  listMapKeys?: readonly string[];
  mapType?: 'atomic' | 'granular';
  patchStrategy?: readonly string[];
  patchMergeKey?: string;
  default?: unknown;
  enum?: readonly string[];
}

export type ScalarKind =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'bytes'
  | 'time'
  | 'microtime'
  | 'duration'
  | 'quantity'
  | 'intorstring'
  | 'raw'
  | 'fieldsv1'
  | 'any';

export type TypeRef =
  /** `any` may say what it accepts, when it is not everything: a JSON schema or a boolean. */
  | { kind: 'scalar'; scalar: ScalarKind; accepts?: readonly TypeRef[] }
  | { kind: 'list'; of: TypeRef }
  | { kind: 'map'; of: TypeRef }
  | { kind: 'ref'; name: string }
  | { kind: 'inline'; schema: TypeSchema };

/** The compact form in which a group's package carries its types (made by `npm run generate`); the API server expands it. */
export type TypeTable = Readonly<Record<string, Readonly<Record<string, CompactField>>>>;

/**
 * One field as `[type, number, flags, extra?]`.
 * type: `string` `int32` `time` … or a type name, with `[]` (list) and `{}` (map of string to) in front: `[]core.v1.Container`;
 * `any(core.v1.X|bool)` where several JSON forms are accepted.
 * flags: any of `e` omitempty, `z` omitzero, `p` pointer, `r` required.
 * extra: listType etc. where there is any; `go` where the Go type name differs from the one derived from `type`.
 */
export type CompactField = readonly [type: string, number: number, flags: string, extra?: CompactExtra];

export interface CompactExtra {
  go?: string;
  via?: string;
  within?: readonly number[];
  listType?: 'atomic' | 'set' | 'map';
  keys?: readonly string[];
  mapType?: 'atomic' | 'granular';
  patch?: readonly string[];
  mergeKey?: string;
  default?: unknown;
  enum?: readonly string[];
}

export interface TypeTraits {
  atomic?: boolean;
  union?: TypeUnion;
}

export interface TypeUnion {
  discriminator?: string;
  /** Field -> the discriminator's value for it. */
  fields: Readonly<Record<string, string>>;
}

/** Changes `value` in place. `parent` values are reachable through closures over strategies, not here. */
export type DefaultFunction = (value: Record<string, unknown>) => void;

export type Validator<T = Record<string, unknown>> = (value: T, path: FieldPath, errors: FieldErrors, context: ValidationContext) => void;

export interface ValidationContext {
  /** Runs the validator of another type, which may belong to another group; nothing when there is none. */
  validate(type: string, value: unknown, path: FieldPath, errors: FieldErrors): void;
  /** The object before the request, on update. */
  old?: KubeObject;
  /** A request-wide place for options a parent passes to its children (`allowHostUsers`, …). */
  readonly options: Map<string, unknown>;
}

// ---------------------------------------------------------------------------------------------------- resources

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface ResourceDefinition {
  group: string;
  version: string;
  kind: string;
  /** Default: `<kind>List`. */
  listKind?: string;
  /** `pods`. */
  plural: string;
  singular: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  namespaced: boolean;
  verbs: readonly Verb[];
  /** Type table name of the kind: `core.v1.Pod`. */
  type: string;
  /**
   * The version this one is stored as, when that is another (`autoscaling/v1` stored as `autoscaling/v2`), with the
   * functions between them. Both directions must be lossless.
   */
  storedAs?: {
    group?: string;
    version: string;
    toStored(object: KubeObject): KubeObject;
    fromStored(object: KubeObject): KubeObject;
    /** Field selectors of this version by what the stored one calls them; left out where both agree. */
    fieldLabels?: Readonly<Record<string, string>>;
  };
  /** The version upstream stores it as, where that is another: discovery's storageVersionHash tells clients so. Nothing else depends on it. */
  hashedVersion?: string;
  /** Annotations that belong to the version's form of an object, not to its metadata: metadata alone is shown without them. */
  versionAnnotations?: readonly string[];
  /** Text of a `Warning` header that every request about this resource is answered with. */
  deprecated?: string;
  /** Why no request for this version can be answered; each gets a 500 that says so. */
  unavailable?: string;
  strategy?: Strategy;
  /** From a CustomResourceDefinition: items of lists show their kind and apiVersion, and nobody patches it strategically. */
  custom?: boolean;
  subresources?: Readonly<Record<string, Subresource>>;
  /** Field selectors beyond metadata.name and metadata.namespace, each as the value it selects on. */
  selectableFields?: Readonly<Record<string, (object: KubeObject) => string>>;
  /** The message for a field selector on any other field. Default: `"x" is not a known field selector: only "metadata.name", "metadata.namespace"`. */
  unknownField?(label: string): string;
  table?: TableDefinition;
  /** Resources without storage (SubjectAccessReview): answers the request. */
  virtual?: VirtualResource;
  /** A ttl for objects of this kind (events: one hour), in seconds after their last write. */
  ttlSeconds?: number;
}

/** What happens to an object on its way in; every function is optional and small. Called with defaulted objects. */
export interface Strategy {
  /** How metadata.name is checked; default: a DNS subdomain. Returns messages, empty when valid. */
  validateName?(name: string, prefix: boolean): string[];
  /** Reset what a client may not set (status, generation of sub-objects). */
  prepareForCreate?(object: KubeObject, context: StrategyContext): void | Promise<void>;
  prepareForUpdate?(object: KubeObject, old: KubeObject, context: StrategyContext): void | Promise<void>;
  /** Default: the validator of the kind's type. metadata is validated by the API server. */
  validate?(object: KubeObject, errors: FieldErrors, context: StrategyContext): void;
  /** Default: `validate`. Called in addition to metadata's own update rules. */
  validateUpdate?(object: KubeObject, old: KubeObject, errors: FieldErrors, context: StrategyContext): void;
  warnings?(object: KubeObject, old: KubeObject | undefined): string[];
  /** metadata.generation is kept: 1 on create, +1 when spec (or `generationOf`) changes. */
  generation?: boolean;
  generationOf?(object: KubeObject): unknown;
  /** PUT to a name that does not exist creates it. */
  createOnUpdate?: boolean;
  /** PUT without resourceVersion overwrites. Default: true. */
  unconditionalUpdate?: boolean;
  /** Graceful deletion: the seconds this object should be given, 0 to delete at once. Default: 0. */
  gracePeriod?(object: KubeObject, requested: number | undefined): number;
  /** Undo side effects of a request that failed after prepare (release an allocated address), and what deletion frees. */
  release?(object: KubeObject, context: StrategyContext): void | Promise<void>;
  /** Fields a client may not own through this endpoint, as paths: server-side apply drops them from managedFields. */
  resetFields?: readonly string[];
  /** What else keeps a deleted object, besides metadata.finalizers (a namespace's spec.finalizers). */
  finalizers?(object: KubeObject): readonly string[];
  /** Finalizers that an object gets when its deletion begins, for work that has to be done before it goes. */
  deletionFinalizers?: readonly string[];
  /** Called when a deletion begins and something keeps the object for now (a namespace becomes Terminating). May change it in place. */
  beginDeletion?(object: KubeObject): void;
  /** Texts of `Warning` headers for a DELETE; `policy` is what the client asked for, undefined when it said nothing. */
  deletionWarnings?(object: KubeObject, policy: 'Orphan' | 'Background' | 'Foreground' | undefined): string[];
  /** DELETE answers with the object as it was last, instead of a Status. */
  returnDeletedObject?: boolean;
  /** Default garbage collection policy when DeleteOptions names none. Default: `Background`. */
  defaultDeletion?: 'Background' | 'Orphan';
}

export interface StrategyContext {
  user: UserInfo;
  namespace: string;
  dryRun: boolean;
  reader: ApiReader;
  validation: ValidationContext;
  warn(message: string): void;
}

/** Reads the API server's cache: parsed, shared objects that must not be changed. */
export interface ApiReader {
  get<T extends KubeObject = KubeObject>(group: string, resource: string, namespace: string, name: string): T | undefined;
  list<T extends KubeObject = KubeObject>(group: string, resource: string, namespace?: string): T[];
  /** Calls back with each change of a resource, after the cache has it. Returns the way to stop. */
  onChange(group: string, resource: string, listener: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void): () => void;
  /** Resolves when the cache has everything that was acknowledged before the call: ask before saying that something is not there. */
  fresh?(): Promise<void> | undefined;
  /** The resource that serves a kind: `apps/v1` and `Deployment` -> `deployments`. Undefined: nobody serves it. */
  resourceOf?(apiVersion: string, kind: string): { group: string; resource: string; namespaced: boolean } | undefined;
  /** Cluster-wide settings from the config file: serviceCIDRs, clusterDomain, … */
  readonly cluster: ClusterSettings;
  /** May this user do that? Asks the configured authorizers. For review resources, escalation checks and owner references. */
  authorize(attributes: import('./auth.ts').AuthzAttributes): Promise<import('./auth.ts').AuthzDecision>;
}

export interface ClusterSettings {
  name: string;
  /** `cluster.local`. */
  clusterDomain: string;
  /** `['10.96.0.0/16']`. */
  serviceCIDRs: string[];
  podCIDRs: string[];
  clusterDNS: string[];
  /** `[30000, 32767]`, inclusive. */
  nodePortRange: [number, number];
}

/**
 * `status`: PUT/PATCH replace only status (or what `strategy` says). `scale`: autoscaling/v1 Scale by paths.
 * `action`: a POST (or other verbs) answered by a function. `connect`: an upgraded or proxied connection,
 * which the API server's node proxy carries out.
 */
export type Subresource =
  | { type: 'status'; strategy?: Strategy; verbs?: readonly Verb[] }
  | { type: 'scale'; specReplicasPath: string; statusReplicasPath: string; labelSelector(object: KubeObject): string }
  /** An update of the main object through another body kind or another strategy (ephemeralcontainers, resize, approval, finalize). */
  | { type: 'update'; strategy: Strategy; verbs: readonly Verb[]; kind?: SubresourceKind }
  | { type: 'action'; verbs: readonly Verb[]; kind: SubresourceKind; run: SubresourceAction }
  | {
      type: 'connect';
      verbs: readonly Verb[];
      kind: SubresourceKind;
      methods: readonly string[];
      connect: 'log' | 'exec' | 'attach' | 'portforward' | 'proxy';
    };

export interface SubresourceKind {
  group: string;
  version: string;
  kind: string;
  /** Type table name, when the body is decoded. */
  type?: string;
}

export type SubresourceAction = (request: SubresourceRequest) => Promise<KubeObject>;

export interface SubresourceRequest extends StrategyContext {
  name: string;
  /** The decoded, defaulted body. */
  body: KubeObject;
  /** The current parent object, already known to exist. */
  object: KubeObject;
  /** Read, change, compare-and-swap with retries; `change` may throw a StatusError. Returns what was stored. */
  updateObject(change: (object: KubeObject) => void): Promise<KubeObject>;
  /** The same for another object of the namespace (an eviction counts down its disruption budget); `resource` may name a subresource: `poddisruptionbudgets/status`. */
  updateRelated(group: string, resource: string, name: string, change: (object: KubeObject) => void): Promise<KubeObject>;
  /** Deletes the parent with these options. */
  deleteObject(options: Record<string, unknown>): Promise<void>;
  /** Anything the API server lends to actions by name (`tokens`: the service account token issuer). */
  service<T>(name: string): T;
}

export interface VirtualResource {
  /** A POST is this subresource action of the object that the body's name names: `bindings` is `pods/<name>/binding`. */
  delegate?: { resource: string; subresource: string };
  /** Answers a POST. The body is decoded, defaulted and validated. */
  create?(object: KubeObject, context: StrategyContext & { service<T>(name: string): T }): Promise<KubeObject> | KubeObject;
  list?(context: StrategyContext): Promise<KubeObject[]> | KubeObject[];
  get?(name: string, context: StrategyContext): Promise<KubeObject | undefined> | KubeObject | undefined;
}

// ---------------------------------------------------------------------------------------------------- tables

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export interface TableColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  priority?: number;
  description?: string;
  /** The field whose documentation describes the column, where documentation is at hand: `core.v1.ConfigMap.data`. */
  describedBy?: string;
}

export interface TableDefinition {
  columns: readonly TableColumn[];
  /** The cells of one object, as many as there are columns. `now` in milliseconds. */
  cells(object: KubeObject, now: number): unknown[];
  /** What the row as a whole says: a pod that has run its course. */
  conditions?(object: KubeObject): readonly TableRowCondition[] | undefined;
}

export interface TableRowCondition {
  type: 'Completed';
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
}

/** metadata as the strategies see it after the API server filled it in: name, uid and creationTimestamp are there. */
export type StoredMeta = ObjectMeta & { name: string; uid: string };
