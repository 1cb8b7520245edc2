/**
 * Joins what is known of each Kubernetes type into one list of fields:
 * - facts (`api-facts-<version>.json`): Go type, protobuf number, omitempty, list and patch markers, inlined structs
 * - the OpenAPI v2 document: JSON shape, required, enums, references, struct-level markers; the only source for the two groups without facts
 * - sample objects (one JSON per kind, in Go's own order): the order in which Go writes the fields
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addExtensionFacts } from './facts-of-extensions.mjs';

const PREFIXES = [
  ['io.k8s.apimachinery.pkg.apis.meta.v1.', 'meta.v1.'],
  ['io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.', 'apiextensions.v1.'],
  ['io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.', 'apiregistration.v1.'],
  ['io.k8s.api.', ''],
];

/** Definitions that are scalars in our tables. */
const SCALARS = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'intorstring',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'microtime',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'fieldsv1',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'raw',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray':
    'any(apiextensions.v1.JSONSchemaProps|[]apiextensions.v1.JSONSchemaProps)',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'any(apiextensions.v1.JSONSchemaProps|bool)',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'any(apiextensions.v1.JSONSchemaProps|[]string)',
};
/** Fields with `omitzero`, which the facts do not record; seen from what upstream writes. */
const OMIT_ZERO = new Set(['meta.v1.ObjectMeta.creationTimestamp']);
/** What the Go name of a scalar is, when it is not the scalar's own. */
const GO_OF_SCALAR = {
  bytes: '[]uint8',
  time: 'v1.Time',
  microtime: 'v1.MicroTime',
  duration: 'v1.Duration',
  quantity: 'resource.Quantity',
  intorstring: 'intstr.IntOrString',
  raw: 'runtime.RawExtension',
  fieldsv1: 'v1.FieldsV1',
  any: 'v1.JSON',
};

export function shortName(definition) {
  for (const [long, short] of PREFIXES) if (definition.startsWith(long)) return short + definition.slice(long.length);
  return definition;
}

/** The Go type name that decode errors would print for a compact type by default. */
export function goNameOf(type) {
  if (type.startsWith('[]')) return `[]${goNameOf(type.slice(2))}`;
  if (type.startsWith('{}')) return `map[string]${goNameOf(type.slice(2))}`;
  if (type.startsWith('any(')) return 'v1.JSON';
  if (type.includes('.')) return type.split('.').slice(-2).join('.');
  return GO_OF_SCALAR[type] ?? type;
}

/** `*[]Container` of package `core.v1` as Go prints it: `[]v1.Container`. */
function printedGoType(go, packageName) {
  const version = packageName.split('.').at(-1);
  return go
    .replace(/^\*/, '')
    .replace(/^((?:\[\]|map\[[\w.]+\])*)\*?/, (_, outer) =>
      outer.replace(/map\[([\w.]+)\]/g, (__, key) => `map[${qualified(key, version)}]`),
    )
    .replace(/([\w.]+)$/, (name) => qualified(name, version));
}

function qualified(name, version) {
  if (name === 'byte') return 'uint8';
  if (/^(string|bool|int|int32|int64|uint8|float64)$/.test(name)) return name;
  const [qualifier, type] = name.includes('.') ? name.split('.') : ['', name];
  if (qualifier === '') return `${version}.${type}`;
  if (/^(types|intstr|resource|runtime)$/.test(qualifier)) return name;
  return `v1.${type}`;
}

export function loadTypes({ facts: factsPath, openapi: openapiPath, samples }) {
  const facts = JSON.parse(readFileSync(factsPath, 'utf8'));
  addExtensionFacts(facts);
  const definitions = JSON.parse(readFileSync(openapiPath, 'utf8')).definitions;
  const sampleOrder = new SampleOrder();
  const types = new Map();
  for (const [definition, schema] of Object.entries(definitions)) {
    if (SCALARS[definition] || schema.type !== 'object' || isList(schema) || definition.endsWith('.Patch')) continue;
    const name = shortName(definition);
    if (name.startsWith('io.')) continue;
    types.set(name, { name, schema, fields: new Map() });
  }
  for (const type of types.values()) {
    const known = flattened(facts, factName(type.name));
    for (const [field, property] of Object.entries(type.schema.properties ?? {})) {
      type.fields.set(field, joined(type, field, property, known?.get(field)));
    }
  }
  if (samples)
    for (const file of readdirSync(samples)) {
      if (!file.endsWith('.json')) continue;
      const object = JSON.parse(readFileSync(join(samples, file), 'utf8'));
      const version = file.split('.').at(-3);
      const root = [...types.keys()].find((name) => matchesSample(name, object, version));
      if (root) sampleOrder.learn(types, root, object);
    }
  for (const type of types.values()) type.fields = sampleOrder.sorted(type);
  return types;
}

const isList = (schema) => schema.required?.includes('items') && schema.properties?.metadata?.$ref?.endsWith('.ListMeta');
const factName = (name) => (name.startsWith('meta.v1.') ? `apimachinery.${name}` : name);

function matchesSample(name, object, version) {
  const [group, typeVersion, kind] = name.split('.');
  if (kind !== object.kind || typeVersion !== version) return false;
  const apiGroup = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : 'core';
  if (group === 'meta') return apiGroup === 'core' || apiGroup === '';
  return apiGroup === group || apiGroup.split('.')[0] === group || (group === 'flowcontrol' && apiGroup.startsWith('flowcontrol'));
}

/** Fields of a type with inlined structs spelt out; `via` remembers the path of embedded struct names. */
function flattened(facts, name, via = '') {
  const fact = facts[name];
  if (!fact) return undefined;
  const packageName = name.slice(0, name.lastIndexOf('.'));
  const fields = new Map();
  for (const [field, value] of Object.entries(fact)) {
    if (!field.startsWith('<inline>')) {
      fields.set(field, { ...value, packageName, ...(via && { via }) });
      continue;
    }
    const embedded = value.go.split('.').at(-1);
    const isMeta = embedded === 'TypeMeta';
    const inner = flattened(
      facts,
      isMeta ? 'apimachinery.meta.v1.TypeMeta' : `${packageName}.${embedded}`,
      isMeta ? via : `${via}${via && '.'}${embedded}`,
    );
    // protobuf has no embedding: the inlined struct is a message of its own, under this number
    for (const [innerField, innerFact] of inner) {
      fields.set(innerField, isMeta ? { ...innerFact, proto: 0 } : { ...innerFact, numbers: [value.proto, ...(innerFact.numbers ?? [])] });
    }
  }
  return fields;
}

function joined(type, field, property, fact) {
  const compact = compactType(property);
  const element = property.items ?? property.additionalProperties ?? property;
  const required = type.schema.required?.includes(field) ?? false;
  if (!fact) throw new Error(`${type.name}.${field} is in the OpenAPI document but not in the facts`);
  const goType = printedGoType(fact.go, fact.packageName.replace(/^apimachinery\./, ''));
  const flags = `${fact.omitempty ? 'e' : ''}${OMIT_ZERO.has(`${type.name}.${field}`) ? 'z' : ''}${fact.go.startsWith('*') ? 'p' : ''}${required ? 'r' : ''}`;
  const extra = {};
  const byDefault = goNameOf(compact);
  if (goType !== byDefault) extra.go = goType;
  if (fact.via) extra.via = fact.via;
  if (fact.numbers) extra.within = fact.numbers;
  if (property['x-kubernetes-list-type']) extra.listType = property['x-kubernetes-list-type'];
  if (property['x-kubernetes-list-map-keys']) extra.keys = property['x-kubernetes-list-map-keys'];
  if (property['x-kubernetes-map-type'] || fact.structType) extra.mapType = property['x-kubernetes-map-type'] ?? fact.structType;
  if (property['x-kubernetes-patch-strategy']) extra.patch = property['x-kubernetes-patch-strategy'].split(',');
  if (property['x-kubernetes-patch-merge-key']) extra.mergeKey = property['x-kubernetes-patch-merge-key'];
  const fallback = fact.default === undefined ? undefined : parseDefault(fact.default);
  if (fallback !== undefined) extra.default = fallback;
  if (element.enum) extra.enum = element.enum;
  return { name: field, type: compact, number: fact.proto ?? 0, flags, extra, order: fact.order };
}

function parseDefault(text) {
  if (text.startsWith('ref(')) return { 'ref(AzureDataDiskCachingReadWrite)': 'ReadWrite', 'ref(AzureSharedBlobDisk)': 'Shared' }[text];
  return JSON.parse(text);
}

function compactType(property) {
  if (property.$ref) {
    const definition = property.$ref.replace('#/definitions/', '');
    return SCALARS[definition] ?? shortName(definition);
  }
  if (property.type === 'array') return `[]${compactType(property.items)}`;
  if (property.type === 'object') return property.additionalProperties ? `{}${compactType(property.additionalProperties)}` : 'any';
  if (property.type === 'string') return property.format === 'byte' ? 'bytes' : 'string';
  if (property.type === 'boolean') return 'bool';
  if (property.type === 'integer') return property.format ?? 'int64';
  if (property.type === 'number') return 'float64';
  return 'any';
}

/** Learns the order of fields from sample objects, and sorts by it; what no sample shows follows by protobuf number. */
class SampleOrder {
  orders = new Map();

  learn(types, name, object) {
    const type = types.get(name);
    if (!type || object === null || typeof object !== 'object') return;
    const keys = Object.keys(object);
    const known = this.orders.get(name);
    if (!known || known.length < keys.length) this.orders.set(name, keys);
    for (const key of keys) {
      const field = type.fields.get(key);
      if (!field) continue;
      const inner = field.type.replace(/^(\[\]|\{\})+/, '');
      const depth = (field.type.match(/^(\[\]|\{\})+/)?.[0].length ?? 0) / 2;
      let value = object[key];
      for (let i = 0; i < depth && value && typeof value === 'object'; i++) value = Object.values(value)[0];
      if (inner !== name) this.learn(types, inner, value);
    }
  }

  sorted(type) {
    const order = this.orders.get(type.name);
    const rank = (field) => {
      const index = order?.indexOf(field.name) ?? -1;
      if (field.name === 'kind' && type.schema['x-kubernetes-group-version-kind']) return -2;
      if (field.name === 'apiVersion' && type.schema['x-kubernetes-group-version-kind']) return -1;
      if (field.order !== undefined) return field.order;
      if (index >= 0) return index;
      return 1000 + (field.extra.within?.[0] ?? field.number ?? 0) + (field.extra.within ? field.number / 1000 : 0);
    };
    return new Map([...type.fields].sort(([, a], [, b]) => rank(a) - rank(b)));
  }
}
