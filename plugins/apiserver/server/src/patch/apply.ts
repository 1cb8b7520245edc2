/**
 * Server-side apply: merge what a manager says into the live object, take away what it said before and says no more,
 * and refuse to change what others own unless forced. https://kubernetes.io/docs/reference/using-api/server-side-apply/ (KEP-555)
 */
import { StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { ApplyRequest } from '../patcher.ts';
import type { Resource } from '../registry.ts';
import { badRequest } from '../status.ts';
import { fieldSetOf } from './field-diff.ts';
import type { FieldSet } from './field-set.ts';
import { difference, intersection, isEmptySet, printPaths, recursiveDifference, sorted, union } from './field-set.ts';
import { resetFieldsOf, stripUnmanaged } from './ignored-fields.ts';
import type { JsonObject } from './json-object.ts';
import { isObject, sameJson } from './json-object.ts';
import { lastAppliedOwnership, withLastApplied } from './last-applied.ts';
import type { ManagerEntry, ManagerKey, Managers } from './managed-fields.ts';
import { decodeManagers, disown, encodeManagers, keyOf } from './managed-fields.ts';
import type { Shapes, StructShape } from './shape.ts';
import { changes, updateOwners, zeroOf } from './track.ts';
import { misfits } from './typed-check.ts';
import { merge, withoutPaths, withStructFields } from './typed-merge.ts';

/** Whoever wrote the object before anybody kept track of managers. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/** Returns the new object, undecoded: parts of it are as the client wrote them. Throws StatusErrors 400, 409, 500. */
export function apply(shapes: Shapes, request: ApplyRequest): unknown {
  const { resource, subresource, live: existing, manager, force, time } = request;
  const applied = checkedConfiguration(request);
  const shape = shapes.of(resource.type);
  if (!shape) throw new StatusError(500, '', `no type is known for ${gvkOf(resource)}`);
  const why = misfits(shape, applied);
  if (why) throw new StatusError(500, '', `failed to create typed patch object (${describe(resource, applied)}): ${why}`);

  const managers = decodeManagers(existing?.metadata.managedFields) ?? new Map();
  const live = existing ? withoutManagers(existing) : zeroOf(shape);
  if (managers.size === 0) {
    updateOwners(shape, resource, subresource, zeroOf(shape), live, managers, { manager: BEFORE_FIRST_APPLY, time });
  }
  const step: Step = { shape, resource, subresource, live, applied, manager, time, existing };
  let outcome = tryApply(step, new Map(managers), force);
  if (outcome.conflicts) {
    const allowed = manager === 'kubectl' ? lastAppliedOwnership(shape, live) : undefined;
    const left = allowed ? withoutAllowed(outcome.conflicts, allowed) : outcome.conflicts;
    if (left.size > 0) throw conflictError(left);
    outcome = tryApply(step, new Map(managers), true);
  }
  const object = manager === 'kubectl' ? withLastApplied(outcome.object as KubeObject, applied) : outcome.object;
  encodeManagers(object as KubeObject, outcome.managers);
  return object;
}

interface Step {
  shape: StructShape;
  resource: Resource;
  subresource: string;
  live: KubeObject;
  applied: JsonObject;
  manager: string;
  time: string;
  existing: KubeObject | undefined;
}

interface Outcome {
  object: JsonObject;
  managers: Managers;
  /** Set when the apply was not forced and takes fields of others. */
  conflicts?: Map<ManagerEntry, FieldSet>;
}

function tryApply(
  { shape, resource, subresource, live, applied, manager, time, existing }: Step,
  managers: Managers,
  force: boolean,
): Outcome {
  const ignored = resetFieldsOf(resource, subresource);
  const entry: ManagerEntry = { manager, operation: 'Apply', apiVersion: resource.apiVersion, subresource, time, fields: {} };
  const self = keyOf(entry);
  const last = managers.get(self);
  const lastFields = last && recursiveDifference(last.fields, ignored);
  const fields = recursiveDifference(fieldSetOf(shape, applied), ignored);
  managers.set(self, { ...entry, fields });

  const merged = merge(shape, live, applied);
  const object = prune(shape, merged, managers, lastFields) as JsonObject;
  const conflicts = takeOver(shape, ignored, live, object, managers, self, force);
  if (conflicts) return { object, managers, conflicts };

  const own = sorted(stripUnmanaged({ ...fields }));
  if (isEmptySet(own)) {
    managers.delete(self);
  } else {
    // Saying what is so already is no news: the time stays, and who only agreed has none.
    const news = !existing || !sameJson(live, object);
    managers.set(self, { ...entry, fields: own, time: news ? time : (last?.time ?? '') });
  }
  return { object: { ...object, metadata: { ...(object.metadata as object) } }, managers };
}

/** What this manager applied the last time and nobody applies now goes, except what others still own. */
function prune(shape: StructShape, merged: unknown, managers: Managers, last: FieldSet | undefined): unknown {
  if (!last || isEmptySet(last)) return merged;
  const named = (set: FieldSet): FieldSet => withStructFields(shape, set);
  const lastNamed = named(last);
  let pruned = withoutPaths(shape, merged, lastNamed);
  let managed: FieldSet = {};
  for (const { fields } of managers.values()) managed = union(managed, fields);
  const mergedNamed = named(fieldSetOf(shape, merged));
  pruned = withoutPaths(shape, merged, difference(mergedNamed, union(named(fieldSetOf(shape, pruned)), named(managed))));
  return withoutPaths(shape, merged, intersection(difference(mergedNamed, named(fieldSetOf(shape, pruned))), lastNamed));
}

/** Takes what changed away from its other owners. Without force, answers who they are instead, where there are any. */
function takeOver(
  shape: StructShape,
  ignored: FieldSet,
  live: JsonObject,
  object: JsonObject,
  managers: Managers,
  self: ManagerKey,
  force: boolean,
): Map<ManagerEntry, FieldSet> | undefined {
  const [taken, removed] = changes(shape, ignored, live, object);
  const conflicts = new Map<ManagerEntry, FieldSet>();
  for (const [key, entry] of managers) {
    if (key === self) continue;
    const contested = intersection(entry.fields, taken);
    if (!isEmptySet(contested)) conflicts.set(entry, contested);
  }
  if (!force && conflicts.size > 0) return conflicts;
  for (const key of [...managers.keys()]) if (key !== self) disown(managers, key, union(taken, removed));
  return undefined;
}

// ------------------------------------------------------------------------------------------------ the configuration

function checkedConfiguration({ resource, applied }: ApplyRequest): JsonObject {
  const { apiVersion, kind, metadata } = (isObject(applied) ? applied : {}) as { apiVersion?: unknown; kind?: unknown; metadata?: unknown };
  if (apiVersion !== resource.apiVersion || kind !== resource.kind) {
    const [group, version] = splitVersion(typeof apiVersion === 'string' ? apiVersion : '');
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${typeof kind === 'string' ? kind : ''}`);
  }
  if (isObject(metadata) && metadata.managedFields !== undefined && metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil');
  return applied as JsonObject;
}

function splitVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

function gvkOf({ group, version, kind }: Resource): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** `ns/name; apps/v1, Kind=Deployment`: an object in upstream's error texts. */
export function describe(resource: Resource, object: unknown): string {
  const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return `${text(metadata.namespace)}/${text(metadata.name)}; ${gvkOf(resource)}`;
}

function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields: _managed, ...metadata } = object.metadata;
  return { ...object, metadata };
}

// ------------------------------------------------------------------------------------------------ conflicts

function withoutAllowed(conflicts: Map<ManagerEntry, FieldSet>, allowed: FieldSet): Map<ManagerEntry, FieldSet> {
  const left = new Map<ManagerEntry, FieldSet>();
  for (const [entry, paths] of conflicts) {
    const rest = difference(paths, allowed);
    if (!isEmptySet(rest)) left.set(entry, rest);
  }
  return left;
}

function conflictError(conflicts: Map<ManagerEntry, FieldSet>): StatusError {
  const list = [...conflicts].flatMap(([entry, paths]) => printPaths(paths).map((path) => ({ who: printManager(entry), path })));
  list.sort((a, b) => (a.who !== b.who ? (a.who < b.who ? -1 : 1) : 0));
  const [first] = list;
  let text = `Apply failed with ${list.length} conflict${list.length === 1 ? '' : 's'}: `;
  if (list.length === 1 && first) {
    text += `conflict with ${first.who}: ${first.path}`;
  } else {
    const lines: string[] = [];
    for (const who of new Set(list.map((one) => one.who))) {
      lines.push(`conflicts with ${who}:`, ...list.filter((one) => one.who === who).map(({ path }) => `- ${path}`));
    }
    text += lines.join('\n');
  }
  const causes = list.map(({ who, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field: path }));
  return new StatusError(409, 'Conflict', text, { causes });
}

function printManager({ manager, operation, apiVersion, subresource }: ManagerEntry): string {
  let text = JSON.stringify(manager);
  if (subresource) text += ` with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${text} using ${apiVersion}` : text;
}
