import type { KubeObject } from '@kubernel/sdk/api';
import type { Api } from './api.ts';
import type { Call } from './call.ts';
import type { Decoded, DecodeTarget } from './codec.ts';
import { badRequest, unsupportedMediaType } from './status.ts';
import { parseYaml } from './yaml.ts';

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
const BODY_TYPES = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];

/** The body of a create or update as an object of the kind its URL says. */
export function decodeBody(api: Api, call: Call, target: DecodeTarget): Decoded {
  const media = mediaType(call.contentType) || JSON_TYPE;
  try {
    return decodeAs(api, call, target, media);
  } catch (error) {
    // What else is wrong is said, too.
    call.warnings.push(...((error as { problems?: string[] }).problems ?? []));
    throw error;
  }
}

function decodeAs(api: Api, call: Call, target: DecodeTarget, media: string): Decoded {
  let decoded: Decoded;
  if (media === JSON_TYPE) decoded = api.codec.decode(target, bodyText(call));
  else if (media === YAML_TYPE) decoded = api.codec.decodeValue(target, parseYaml(bodyText(call)), bodyText(call));
  else if (media === PROTOBUF_TYPE && api.codec.decodeProtobuf) decoded = api.codec.decodeProtobuf(target, bodyBytes(call));
  else throw unsupportedMediaType(BODY_TYPES);
  return decoded;
}

export function bodyText(call: Call): string {
  const { body } = call;
  return body === undefined ? '' : typeof body === 'string' ? body : body.toString('utf8');
}

function bodyBytes(call: Call): Buffer {
  const { body } = call;
  return body === undefined ? Buffer.alloc(0) : typeof body === 'string' ? Buffer.from(body) : body;
}

/** `Application/JSON; charset=utf-8` -> `application/json`. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** What a name or namespace in the URL demands of the body. Fills in what the body leaves out. */
export function checkNamespace(object: KubeObject, namespaced: boolean, namespace: string): void {
  if (!namespaced) {
    delete object.metadata.namespace;
    return;
  }
  if (!object.metadata.namespace) object.metadata.namespace = namespace;
  else if (object.metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

export function checkName(object: KubeObject, name: string): void {
  if (!object.metadata.name) object.metadata.name = name;
  else if (object.metadata.name !== name) {
    throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
  }
}

/** For PUT, which does not take the name from the URL. */
export function checkOwnName(object: KubeObject, name: string): void {
  if (!object.metadata.name) throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  checkName(object, name);
}

/** What no client decides about a new object, however it was written: dropped before anybody becomes its owner. */
export function dropSystemFields(object: KubeObject): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}
