import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { byteLength, configMapKey, FieldPath, semanticEqual } from '@kubernel/sdk/api';

/** ConfigMaps and Secrets. */

const MAX_BYTES = 1024 * 1024;
const DATA = FieldPath.of('data');
const ROOT = FieldPath.of('');

/** The size of what base64 text stands for. */
const decodedLength = (text: string): number => Buffer.byteLength(text, 'base64');

export function checkConfigMap(map: Decoded, errors: FieldErrors): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(map.data ?? {})) {
    errors.invalidEach(DATA.key(key), key, configMapKey(key));
    if (map.binaryData && Object.hasOwn(map.binaryData, key)) errors.invalid(DATA.key(key), key, 'duplicate of key present in binaryData');
    bytes += byteLength(String(value));
  }
  for (const [key, value] of Object.entries(map.binaryData ?? {})) {
    errors.invalidEach(FieldPath.of('binaryData').key(key), key, configMapKey(key));
    bytes += decodedLength(String(value));
  }
  if (bytes > MAX_BYTES) errors.tooLong(ROOT, MAX_BYTES);
}

/** An immutable object keeps its data, and stays immutable. */
export function checkImmutableData(object: Decoded, old: Decoded, errors: FieldErrors, fields: readonly string[]): void {
  if (old.immutable !== true) return;
  const message = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) errors.forbidden(FieldPath.of('immutable'), message);
  for (const field of fields) if (!semanticEqual(object[field], old[field])) errors.forbidden(FieldPath.of(field), message);
}

/** Keys that must be there, by type of secret. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function checkSecret(secret: Decoded, errors: FieldErrors): void {
  const data: Record<string, string> = secret.data ?? {};
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.invalidEach(DATA.key(key), key, configMapKey(key));
    bytes += decodedLength(value ?? '');
  }
  if (bytes > MAX_BYTES) errors.tooLong(DATA, MAX_BYTES);
  const type = secret.type ?? '';
  for (const key of REQUIRED_KEYS[type] ?? []) {
    const value = data[key];
    if (value === undefined) errors.required(DATA.key(key));
    else if (type.startsWith('kubernetes.io/docker')) checkJsonObject(value, DATA.key(key), errors);
  }
  if (type === 'kubernetes.io/service-account-token') {
    const key = 'kubernetes.io/service-account.name';
    if (!secret.metadata.annotations?.[key]) errors.required(FieldPath.of('metadata', 'annotations').key(key));
  } else if (type === 'kubernetes.io/basic-auth') {
    if (data.username === undefined && data.password === undefined)
      for (const key of ['username', 'password']) errors.required(DATA.key(key));
  } else if (type === 'kubernetes.io/ssh-auth') {
    if (!data['ssh-privatekey']) errors.required(DATA.key('ssh-privatekey'));
  }
}

function checkJsonObject(base64: string, path: FieldPath, errors: FieldErrors): void {
  const problem = jsonObjectProblem(Buffer.from(base64, 'base64').toString());
  if (problem) errors.invalid(path, '<secret contents redacted>', problem);
}

/** The first thing wrong with what should be a JSON object, in the words of Go's decoder. */
function jsonObjectProblem(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (text.trim() === '' || /end of JSON|Unterminated/.test(String(error))) return 'unexpected end of JSON input';
    const position = Number(/position (\d+)/.exec(String(error))?.[1] ?? text.search(/\S/));
    const char = text[position] ?? '';
    const before = text.slice(0, position).trim();
    return `invalid character '${char}' ${before === '' ? 'looking for beginning of value' : 'after top-level value'}`;
  }
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined;
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}
