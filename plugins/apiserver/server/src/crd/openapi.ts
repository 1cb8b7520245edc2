import type { ApiGroup } from '@kubernel/sdk';
import { type JsonSchema, META_FIELDS } from '@kubernel/sdk/structural';
import { type OpenApiSource, openApiV3 } from '../schema/openapi.ts';
import type { External, Json, OpenApiVersion } from '../schema/openapi-schemas.ts';
import type { CustomType, CustomTypes } from './custom-type.ts';

/** Publishes the schemas of custom resources as definitions beside the built-in ones. */
export function customOpenApi(
  types: CustomTypes,
  builtIn: () => OpenApiSource,
): { source(): OpenApiSource; v3(groups: readonly ApiGroup[]): Map<string, () => object> } {
  const source = (): OpenApiSource => ({ ...builtIn(), external: externalOf(types) });
  const made = new WeakMap<ApiGroup, Map<string, () => object>>();
  return {
    source,
    v3(groups) {
      const all = new Map<string, () => object>();
      for (const group of groups) {
        let documents = made.get(group);
        if (!documents) {
          documents = new Map([...openApiV3({ ...source(), groups: [group] })].filter(([path]) => path.startsWith(`apis/${group.group}`)));
          made.set(group, documents);
        }
        for (const [path, make] of documents) all.set(path, make);
      }
      return all;
    },
  };
}

function externalOf(types: CustomTypes): External {
  return (name, version, ref) => {
    const type = types.get(name);
    if (type) return definition(type, version, ref);
    // A list's name is its kind's with a suffix, unless its author gave it another.
    const kind = [...types.values()].find((candidate) => name === `${candidate.name}List`) ?? types.get(name.replace(/List$/, ''));
    return kind && list(kind, ref);
  };
}

const TYPE_META = {
  apiVersion: {
    type: 'string',
    description: 'APIVersion says in which version of its schema this object is written. Servers take what they know and refuse the rest.',
  },
  kind: { type: 'string', description: 'Kind names the REST resource that this object stands for. Cannot be changed. In CamelCase.' },
};

function definition({ schema, group, version, kind }: CustomType, openApi: OpenApiVersion, ref: (type: string) => Json): Json {
  const root = published(schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, openApi);
  const properties = {
    ...(root.properties as Json | undefined),
    ...TYPE_META,
    metadata: { ...described(openApi, ref('meta.v1.ObjectMeta')) },
  };
  return {
    ...root,
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))),
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
  };
}

function described(openApi: OpenApiVersion, reference: Json): Json {
  const description =
    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
  return openApi === 2 ? { description, ...reference } : { description, allOf: [reference] };
}

function list({ name, group, version, kind }: CustomType, ref: (type: string) => Json): Json {
  return {
    description: `${kind}List is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...TYPE_META,
      items: { description: `List of ${kind.toLowerCase()}s.`, type: 'array', items: ref(name) },
      metadata: ref('meta.v1.ListMeta'),
    },
    'x-kubernetes-group-version-kind': [{ group, kind: `${kind}List`, version }],
  };
}

/** What version 2 cannot say is left out: clients would refuse what the server takes. */
const NOT_IN_V2 = ['anyOf', 'oneOf', 'not', 'nullable', 'default', 'x-kubernetes-validations'];

function published(schema: JsonSchema, openApi: OpenApiVersion): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (openApi === 2 && NOT_IN_V2.includes(key)) continue;
    if (key === 'properties')
      out.properties = Object.fromEntries(
        Object.entries(value as Record<string, JsonSchema>).map(([name, inner]) => [name, published(inner, openApi)]),
      );
    else if ((key === 'items' || key === 'additionalProperties' || key === 'not') && typeof value === 'object')
      out[key] = published(value as JsonSchema, openApi);
    else if (key === 'allOf' || key === 'anyOf' || key === 'oneOf')
      out[key] = (value as JsonSchema[]).map((inner) => published(inner, openApi));
    else out[key] = value;
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (openApi === 2) {
    if (schema.nullable || schema['x-kubernetes-int-or-string'] || open) {
      // Old clients check types by themselves, and stricter than the server.
      delete out.type;
      if (open || schema.nullable) delete out.items;
      if (open || schema.nullable) delete out.properties;
    }
  } else if (schema['x-kubernetes-int-or-string'] && !schema.anyOf) out.anyOf = [{ type: 'integer' }, { type: 'string' }];
  if (schema['x-kubernetes-embedded-resource'] && out.properties)
    for (const field of META_FIELDS) (out.properties as Json)[field] ??= { type: field === 'metadata' ? 'object' : 'string' };
  return out;
}
