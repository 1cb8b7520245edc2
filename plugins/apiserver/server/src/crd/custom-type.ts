import type { TypeSchema } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { applySchemaDefaults, dropNulls, hasDefaults, hasRules, type JsonSchema, prune } from '@kubernel/sdk/structural';
import { kindSchema } from './type-schema.ts';

interface Loaded {
  json: JsonSchema | undefined;
  defaults: boolean;
  rules: boolean;
}

/** One version of a custom resource: its schema, and what follows from it. Compiled when it is first used. */
export class CustomType {
  /** `com.example.v1.Foo`, as OpenAPI names it too. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly #load: () => JsonSchema | undefined;
  /** The type in which objects are stored; undefined: this one. */
  stored: CustomType | undefined;
  #schema: Loaded | undefined;
  #typeSchema: TypeSchema | undefined;

  constructor(group: string, version: string, kind: string, load: () => JsonSchema | undefined) {
    this.name = customTypeName(group, version, kind);
    this.group = group;
    this.version = version;
    this.kind = kind;
    this.#load = load;
  }

  get apiVersion(): string {
    return `${this.group}/${this.version}`;
  }

  get schema(): JsonSchema | undefined {
    return this.#loaded().json;
  }

  get typeSchema(): TypeSchema {
    this.#typeSchema ??= kindSchema(this.name, this.schema);
    return this.#typeSchema;
  }

  get hasRules(): boolean {
    return this.#loaded().rules;
  }

  #loaded(): Loaded {
    if (!this.#schema) {
      const json = this.#load();
      this.#schema = { json, defaults: hasDefaults(json), rules: hasRules(json) };
    }
    return this.#schema;
  }

  /** In place. Returns the paths of what went, sorted. */
  prune(object: KubeObject): string[] {
    return prune(object, this.schema, true);
  }

  /** In place: what is missing gets its default, and nulls that are no values go. */
  applyDefaults(object: KubeObject): void {
    const { json, defaults } = this.#loaded();
    if (defaults) applySchemaDefaults(object, json);
    dropNulls(object, json);
  }

  /** An object of this version as one of the version that is stored, in place. The only difference between versions is what they know. */
  toStored(object: KubeObject): KubeObject {
    const to = this.stored ?? this;
    object.apiVersion = to.apiVersion;
    if (to !== this) to.prune(object);
    to.applyDefaults(object);
    return object;
  }

  /** The other way, in place; also for what was stored under an older schema. */
  fromStored(object: KubeObject): KubeObject {
    const from = this.stored ?? this;
    from.prune(object);
    from.applyDefaults(object);
    object.apiVersion = this.apiVersion;
    if (from !== this) this.prune(object);
    return object;
  }
}

export function customTypeName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** All custom types that are served, by name. */
export type CustomTypes = Map<string, CustomType>;
