import type { ApiGroup, FieldSchema, TypeRef, TypeSchema } from '@kubernel/sdk';
import type { TypeRegistry } from './type-registry.ts';

/** Type schemas as OpenAPI definitions, for version 2 and 3 documents (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition). */

export type OpenApiVersion = 2 | 3;
export type Json = Record<string, unknown>;

/** Texts for `kubectl explain`, where they are at hand: by type name, and by type name and field. */
export interface Descriptions {
  ofType(type: string): string | undefined;
  ofField(type: string, field: string): string | undefined;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** `core.v1.Pod` -> `io.k8s.api.core.v1.Pod`. */
export function definitionName(type: string): string {
  if (type.startsWith('meta.v1.')) return `io.k8s.apimachinery.pkg.apis.${type}`;
  if (type.startsWith('apiextensions.')) return `io.k8s.apiextensions-apiserver.pkg.apis.${type}`;
  if (type.startsWith('apiregistration.')) return `io.k8s.kube-aggregator.pkg.apis.${type}`;
  return `io.k8s.api.${type}`;
}

interface Special {
  name: string;
  v2: Json;
  v3: Json;
}

/** Scalars that have a definition of their own. */
const SPECIAL: Readonly<Record<string, Special>> = {
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    v2: { type: 'string' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  intorstring: {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
  time: { name: `${META}.Time`, v2: { type: 'string', format: 'date-time' }, v3: { type: 'string', format: 'date-time' } },
  microtime: { name: `${META}.MicroTime`, v2: { type: 'string', format: 'date-time' }, v3: { type: 'string', format: 'date-time' } },
  duration: { name: `${META}.Duration`, v2: { type: 'string' }, v3: { type: 'string' } },
  fieldsv1: { name: `${META}.FieldsV1`, v2: { type: 'object' }, v3: { type: 'object' } },
  raw: { name: 'io.k8s.apimachinery.pkg.runtime.RawExtension', v2: { type: 'object' }, v3: { type: 'object' } },
  any: { name: `${EXTENSIONS}.JSON`, v2: {}, v3: {} },
};

const SCALARS: Readonly<Record<string, Json>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  float64: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
};

/** Kinds of the loaded groups, for `x-kubernetes-group-version-kind`. */
export type KindsOfType = ReadonlyMap<string, Json[]>;

export function kindsOfTypes(groups: Iterable<ApiGroup>): KindsOfType {
  const kinds = new Map<string, Json[]>();
  const add = (type: string, group: string, kind: string, version: string): void => {
    if (!kinds.has(type)) kinds.set(type, [{ group, kind, version }]);
  };
  for (const { resources } of groups) {
    for (const { type, group, version, kind, listKind, verbs, subresources } of resources) {
      add(type, group, kind, version);
      if (verbs.includes('list'))
        add(`${type.slice(0, type.lastIndexOf('.'))}.${listKind ?? `${kind}List`}`, group, listKind ?? `${kind}List`, version);
      for (const subresource of Object.values(subresources ?? {})) {
        if (subresource.type === 'scale') add('autoscaling.v1.Scale', 'autoscaling', 'Scale', 'v1');
        else if ('kind' in subresource && subresource.kind?.type)
          add(subresource.kind.type, subresource.kind.group, subresource.kind.kind, subresource.kind.version);
      }
    }
  }
  add('meta.v1.Status', '', 'Status', 'v1');
  for (const kind of ['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions']) add(`meta.v1.${kind}`, '', kind, 'v1');
  return kinds;
}

/** Definitions of types that are in no table: those of custom resources. `ref` refers to another definition. */
export type External = (type: string, version: OpenApiVersion, ref: (type: string) => Json) => Json | undefined;

/** Builds definitions on demand, and with each the ones it refers to. */
export class Definitions {
  readonly #types: TypeRegistry;
  readonly #version: OpenApiVersion;
  readonly #kinds: KindsOfType;
  readonly #descriptions: Descriptions | undefined;
  readonly #optionKinds: Json[];
  readonly #external: External | undefined;
  readonly built: Record<string, Json> = {};

  /** `groupVersions`: whose DeleteOptions and WatchEvents are meant. */
  constructor(
    types: TypeRegistry,
    version: OpenApiVersion,
    kinds: KindsOfType,
    groupVersions: readonly (readonly [group: string, version: string])[],
    descriptions?: Descriptions,
    external?: External,
  ) {
    this.#external = external;
    this.#types = types;
    this.#version = version;
    this.#kinds = kinds;
    this.#descriptions = descriptions;
    this.#optionKinds = groupVersions.map(([group, groupVersion]) => ({ group, version: groupVersion }));
  }

  /** `{$ref}` to a type's definition, which is built if it is not yet. */
  ref(type: string): Json {
    const name = this.#types.has(type) || type === 'meta.v1.Patch' ? definitionName(type) : type;
    if (!this.built[name]) {
      this.built[name] = {}; // types may be recursive
      const outside = name === type ? this.#external?.(type, this.#version, (other) => this.ref(other)) : undefined;
      if (outside) Object.assign(this.built[name], outside);
      else if (type === 'meta.v1.Patch') this.built[name] = { type: 'object' };
      else Object.assign(this.built[name], this.#definition(this.#types.schema(type)));
    }
    return this.#refTo(name);
  }

  #refTo(name: string): Json {
    return { $ref: `${this.#version === 2 ? '#/definitions/' : '#/components/schemas/'}${name}` };
  }

  #definition(schema: TypeSchema): Json {
    const definition: Json = {};
    const description = this.#descriptions?.ofType(schema.name);
    if (description) definition.description = description;
    definition.type = 'object';
    const fields = [...schema.fields.values()];
    const required = fields.filter((field) => field.required).map(({ name }) => name);
    if (required.length) definition.required = required;
    if (fields.length) {
      const properties: Json = {};
      for (const field of fields.sort((a, b) => (a.name < b.name ? -1 : 1))) properties[field.name] = this.#property(schema.name, field);
      definition.properties = properties;
    }
    const kinds = this.#kindsOf(schema.name);
    if (kinds) definition['x-kubernetes-group-version-kind'] = kinds;
    if (schema.atomic) definition['x-kubernetes-map-type'] = 'atomic';
    if (schema.union) {
      const { discriminator, fields: unionFields } = schema.union;
      definition['x-kubernetes-unions'] = [{ ...(discriminator && { discriminator }), 'fields-to-discriminateBy': unionFields }];
    }
    return definition;
  }

  #kindsOf(type: string): Json[] | undefined {
    if (type === 'meta.v1.DeleteOptions') return this.#optionKinds.map(({ group, version }) => ({ group, kind: 'DeleteOptions', version }));
    if (type === 'meta.v1.WatchEvent') return this.#optionKinds.map(({ group, version }) => ({ group, kind: 'WatchEvent', version }));
    return this.#kinds.get(type);
  }

  #property(type: string, field: FieldSchema): Json {
    const schema = this.#schema(field.type, field.enum);
    const property: Json = {};
    const description = this.#descriptions?.ofField(type, field.name);
    if (description) property.description = description;
    const fallback = this.#version === 3 ? defaultOf(field) : undefined;
    if (schema.$ref && this.#version === 3 && !isBare(type, field)) {
      if (fallback !== undefined) property.default = fallback;
      property.allOf = [schema];
    } else {
      Object.assign(property, schema);
      if (fallback !== undefined) property.default = fallback;
    }
    if (field.listMapKeys) property['x-kubernetes-list-map-keys'] = field.listMapKeys;
    if (field.listType) property['x-kubernetes-list-type'] = field.listType;
    if (field.mapType && field.type.kind === 'map') property['x-kubernetes-map-type'] = field.mapType;
    else if (field.mapType && field.type.kind === 'ref') property['x-kubernetes-map-type'] = field.mapType;
    if (field.patchMergeKey) property['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
    if (field.patchStrategy) property['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',');
    return property;
  }

  #schema(type: TypeRef, values: readonly string[] | undefined): Json {
    switch (type.kind) {
      case 'ref':
        return this.ref(type.name);
      case 'inline':
        return this.#definition(type.schema);
      case 'list':
        return { type: 'array', items: this.#schema(type.of, values) };
      case 'map':
        return { type: 'object', additionalProperties: this.#schema(type.of, values) };
      default:
        return type.accepts ? this.#alternatives(type.accepts) : this.#scalar(type.scalar, values);
    }
  }

  #scalar(scalar: string, values: readonly string[] | undefined): Json {
    const special = SPECIAL[scalar];
    if (!special) return { ...SCALARS[scalar], ...(values && { enum: values }) };
    this.built[special.name] ??= this.#version === 2 ? special.v2 : special.v3;
    return this.#refTo(special.name);
  }

  /** JSONSchemaPropsOrBool and its like: whatever JSON. */
  #alternatives(accepts: readonly TypeRef[]): Json {
    const list = accepts.find((type) => type.kind === 'list');
    const suffix = !list ? 'Bool' : list.of.kind === 'scalar' ? 'StringArray' : 'Array';
    const name = `${EXTENSIONS}.JSONSchemaPropsOr${suffix}`;
    this.built[name] ??= {};
    return this.#refTo(name);
  }
}

/** Fields to which upstream's Go types have no comment: their reference stands by itself. */
function isBare(type: string, { name }: FieldSchema): boolean {
  return (type === 'apiextensions.v1.JSONSchemaProps' && name !== 'default') || (type === 'networking.v1.IngressRule' && name === 'http');
}

/** What Go's zero value makes the default of a field that is always written. */
function defaultOf({ type, pointer, omitEmpty, default: fallback }: FieldSchema): unknown {
  if (fallback !== undefined) return fallback;
  if (pointer) return undefined;
  if (type.kind === 'ref') return {};
  if (type.kind !== 'scalar') return undefined;
  switch (type.scalar) {
    case 'string':
      return omitEmpty ? undefined : '';
    case 'bool':
      return omitEmpty ? undefined : false;
    case 'int32':
    case 'int64':
    case 'float64':
      return omitEmpty ? undefined : 0;
    default:
      return undefined;
  }
}
