import type { ValidationContext } from '@kubernel/sdk';
import type { FieldErrors, FieldPath, KubeObject } from '@kubernel/sdk/api';
import type { Resource } from './registry.ts';

/** What the pipeline needs to know about types; `schema/` implements it from the groups' type tables. */
export interface Codec {
  /**
   * Text of a request body to an object: known fields with the right JSON types, unknown ones dropped and named in
   * `problems` together with duplicate keys. Throws a StatusError(400) for what cannot be decoded.
   */
  decode(target: DecodeTarget, text: string): Decoded;
  /** The same for a value that is parsed already (patch results, YAML); `source` is its text, for messages. */
  decodeValue(target: DecodeTarget, value: unknown, source?: string): Decoded;
  /** The same for the `k8s\0` envelope; left out by codecs that do not speak it. */
  decodeProtobuf?(target: DecodeTarget, bytes: Uint8Array): Decoded;
  /** An object's (or list's, or Status') JSON text in the `k8s\0` envelope; undefined for kinds without protobuf form (custom resources, tables). */
  encodeProtobuf?(target: DecodeTarget, text: string): Uint8Array | undefined;
  /** A watch event as a frame of `application/vnd.kubernetes.protobuf;stream=watch`: its length, then the event around the object's envelope. */
  encodeProtobufEvent?(target: DecodeTarget, eventType: string, text: string): Uint8Array | undefined;
  /** Fills in defaults, in place. */
  applyDefaults(type: string, object: KubeObject): void;
  /** The form in which the object is stored and answered: fields in Go order, zero values as Go writes them. */
  normalize(type: string, object: KubeObject): KubeObject;
  /** The same for an object that was converted to the version it is stored in. */
  normalizeStored(resource: Resource, object: KubeObject): KubeObject;
  /** Runs the validator of a type, nothing where there is none. */
  validate(type: string, value: unknown, path: FieldPath, errors: FieldErrors, context: ValidationContext): void;
}

/** The kind a body must be of; a body without kind and apiVersion is taken for it. */
export interface DecodeTarget {
  type: string;
  apiVersion: string;
  kind: string;
}

export interface Decoded {
  object: KubeObject;
  /** `unknown field "spec.foo"`, `duplicate field "spec.replicas"`, in the order found. */
  problems: string[];
  /** Somewhere stands an empty list or map of the client's, which counts as missing as soon as the object is encoded. */
  keptEmpty?: boolean;
}

/**
 * The stored form of the house: kind and apiVersion first, then metadata with name, generateName, namespace and uid
 * first and without resourceVersion, so that the cache finds the place for the revision without parsing.
 */
export function encodeStored(object: KubeObject): string {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { name, generateName, namespace, uid, resourceVersion: _revision, ...meta } = metadata;
  return JSON.stringify({ kind, apiVersion, metadata: { name, generateName, namespace, uid, ...meta }, ...rest });
}
