import { goJson, PrintedValue } from '@kubernel/sdk/api';
import { types } from '../types.ts';

/** Objects as upstream prints them in "Invalid value": in its internal form, with Go's names and absent fields spelt out. */
const NAMES: Readonly<Record<string, string>> = {
  cel: 'CEL',
  uid: 'UID',
  ips: 'IPs',
  shareID: 'ShareID',
  metadata: 'ObjectMeta',
  apiGroup: 'APIGroup',
};

export const goForm = (type: string, value: unknown): PrintedValue => new PrintedValue(goJson(formOf(type, value)));

function formOf(type: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (type.startsWith('[]')) return (value as unknown[]).map((item) => formOf(type.slice(2), item));
  const fields = types[type];
  if (!fields) return value;
  const object = value as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [name, [fieldType, , flags]] of Object.entries(fields)) {
    const field = object[name];
    out[NAMES[name] ?? `${name[0]?.toUpperCase()}${name.slice(1)}`] =
      field === undefined ? zeroOf(fieldType, flags.includes('p')) : formOf(fieldType, field);
  }
  return out;
}

function zeroOf(type: string, isPointer: boolean): unknown {
  if (isPointer || type.startsWith('[]') || type.startsWith('{}')) return null;
  if (type === 'string') return '';
  if (type === 'bool') return false;
  if (/^int/.test(type)) return 0;
  if (type === 'quantity') return '0';
  return types[type] ? formOf(type, {}) : null;
}
