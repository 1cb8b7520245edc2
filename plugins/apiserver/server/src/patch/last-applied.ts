/**
 * Coming from client-side apply: what kubectl's annotation says it applied is kubectl's, even though the fields are
 * still managed by the client-side applier (KEP-555, "upgrading from client-side apply").
 */
import type { KubeObject } from '@kubernel/sdk/api';
import { added, addedOrModified, fieldSetOf } from './field-diff.ts';
import type { FieldSet } from './field-set.ts';
import { difference } from './field-set.ts';
import type { JsonObject } from './json-object.ts';
import { isObject } from './json-object.ts';
import type { StructShape } from './shape.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** All annotations of an object together may have this many bytes; beyond it the annotation is emptied. */
const MAX_BYTES = 256 * 1024;

/** Fields of the annotation that still stand in the object as they were applied. Undefined: there is no usable annotation. */
export function lastAppliedOwnership(shape: StructShape, live: KubeObject): FieldSet | undefined {
  const text = live.metadata.annotations?.[ANNOTATION];
  if (!text) return undefined;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(applied)) return undefined;
  return difference(difference(fieldSetOf(shape, applied), addedOrModified(shape, applied, live)), added(shape, live, applied));
}

/** Keeps the annotation up to date where there is one, so that a kubectl that applies client-side finds what it expects. */
export function withLastApplied(object: KubeObject, applied: JsonObject): KubeObject {
  const annotations = object.metadata.annotations;
  if (!annotations?.[ANNOTATION]) return object;
  const copy = structuredClone(applied) as KubeObject;
  if (copy.metadata?.annotations) {
    delete copy.metadata.annotations[ANNOTATION];
  }
  const text = `${JSON.stringify(sortedKeys(copy))}\n`;
  const total = Object.entries({ ...annotations, [ANNOTATION]: text }).reduce(
    (sum, [key, value]) => sum + key.length + String(value).length,
    0,
  );
  const value = total > MAX_BYTES ? '' : text;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [ANNOTATION]: value } } };
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortedKeys(value[key])]),
  );
}
