/** metadata.managedFields: who owns which fields, in memory and in the object. */
import type { KubeObject, ManagedFieldsEntry } from '@kubernel/sdk/api';
import type { FieldSet } from './field-set.ts';
import { difference, isEmptySet, sorted, union } from './field-set.ts';

export interface ManagerEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  time: string;
  fields: FieldSet;
}

/** Appliers are the same manager whatever version they apply; updaters are not. */
export type ManagerKey = string;
export type Managers = Map<ManagerKey, ManagerEntry>;

export function keyOf({
  manager,
  operation,
  apiVersion,
  subresource,
}: Pick<ManagerEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): ManagerKey {
  return `${operation}\0${manager}\0${operation === 'Apply' ? '' : apiVersion}\0${subresource}`;
}

/** Undefined when an entry is malformed. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined | null): Managers | undefined {
  const managers: Managers = new Map();
  for (const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } of entries ?? []) {
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (fieldsType !== 'FieldsV1') return undefined;
    const entry: ManagerEntry = {
      manager: manager || 'unknown',
      operation,
      apiVersion: apiVersion ?? '',
      subresource: subresource ?? '',
      time: time ?? '',
      fields: (fieldsV1 ?? {}) as FieldSet,
    };
    managers.set(keyOf(entry), entry);
  }
  return managers;
}

/** `[]` and `[{}]` are how a client throws away what is known about managers. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined | null): boolean {
  if (!entries) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] as object).length === 0);
}

/** Writes the managers into the object. Unchanged sets are written as they were read. */
export function encodeManagers(object: KubeObject, managers: Managers): void {
  if (managers.size === 0) {
    delete object.metadata.managedFields;
    return;
  }
  const entries = [...managers.values()];
  if (entries.length > 1) entries.sort(byAge);
  object.metadata.managedFields = entries.map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
    manager,
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: fields as Record<string, unknown>,
    ...(subresource ? { subresource } : {}),
  }));
}

/** Appliers first, then the oldest. */
function byAge(a: ManagerEntry, b: ManagerEntry): number {
  return (
    compare(a.operation, b.operation) ||
    compare(a.time, b.time) ||
    compare(a.manager, b.manager) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Takes paths away from a manager; one that owns nothing any more is forgotten. */
export function disown(managers: Managers, key: ManagerKey, paths: FieldSet): void {
  const entry = managers.get(key);
  if (!entry) return;
  const fields = difference(entry.fields, paths);
  if (isEmptySet(fields)) managers.delete(key);
  else managers.set(key, { ...entry, fields });
}

/** Adds paths to a manager's. */
export function own(managers: Managers, entry: ManagerEntry): void {
  const key = keyOf(entry);
  const before = managers.get(key);
  managers.set(key, before ? { ...entry, fields: sorted(union(before.fields, entry.fields)) } : entry);
}

const MAX_UPDATERS = 10;
const OLD_UPDATES = 'ancient-changes';

/** Joins the oldest updaters of the same version, so that an object that many programs write does not grow for ever. */
export function capUpdaters(managers: Managers): void {
  const updaters = [...managers.entries()].filter(([, { operation }]) => operation === 'Update');
  if (updaters.length <= MAX_UPDATERS) return;
  updaters.sort(([keyA, a], [keyB, b]) => compare(a.time, b.time) || compare(keyA, keyB));
  const firstOf = new Map<string, ManagerKey>();
  let count = updaters.length;
  for (const [key, entry] of updaters) {
    if (count <= MAX_UPDATERS) return;
    const first = firstOf.get(entry.apiVersion);
    if (first === undefined) {
      firstOf.set(entry.apiVersion, key);
      continue;
    }
    const bucket = { manager: OLD_UPDATES, operation: 'Update', apiVersion: entry.apiVersion, subresource: '' } as const;
    const bucketKey = keyOf(bucket);
    const before = managers.get(bucketKey) ?? managers.get(first);
    if (!managers.has(bucketKey)) managers.delete(first);
    managers.delete(key);
    managers.set(bucketKey, { ...bucket, time: entry.time, fields: sorted(union(before?.fields ?? {}, entry.fields)) });
    count--;
  }
}
