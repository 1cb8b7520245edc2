import { type FieldRequirement, parseFieldSelector, parseSelector, type Selector } from '@kubernel/sdk/api';
import type { Entry, Selectable } from './cache/entry.ts';
import type { Resource } from './registry.ts';
import { badRequest } from './status.ts';

/** Which objects of a resource a list, a watch or a deletecollection is about. */
export interface Selection {
  namespace: string;
  labels: Selector | undefined;
  fields: readonly FieldRequirement[];
  /** metadata.name, where a field selector or the path pins it: then there is at most one object to look at. */
  name: string | undefined;
  /** Equal for equal selections: watchers with the same one share their encoded events. */
  signature: string;
}

export function selectionOf(
  resource: Resource,
  namespace: string,
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
): Selection {
  let labels: Selector | undefined;
  let fields: FieldRequirement[] = [];
  try {
    if (labelSelector) labels = parseSelector(labelSelector);
    if (fieldSelector) fields = parseFieldSelector(fieldSelector);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  fields = fields.map((requirement) => storedRequirement(resource, requirement));
  for (const { field } of fields) {
    if (field === 'metadata.name' || field === '' || resource.cache.fields[field]) continue;
    // Cluster-scoped kinds with fields of their own do not know a namespace; those without take any generic one.
    if (field === 'metadata.namespace' && (resource.namespaced || Object.keys(resource.cache.fields).length === 0)) continue;
    throw unknownField(resource, field);
  }
  const name = fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value;
  return {
    namespace,
    labels: labels?.empty ? undefined : labels,
    fields,
    name,
    signature: `${namespace}\n${labelSelector ?? ''}\n${fieldSelector ?? ''}`,
  };
}

/** A requirement in the words of the version that is stored, which is the one objects are looked through in. */
function storedRequirement(resource: Resource, requirement: FieldRequirement): FieldRequirement {
  const labels = resource.definition.storedAs?.fieldLabels;
  const { field } = requirement;
  if (!labels || GENERIC_FIELDS.has(field)) return requirement;
  const stored = labels[field];
  if (stored === undefined) throw unknownField(resource, field);
  return { ...requirement, field: stored };
}

const GENERIC_FIELDS: ReadonlySet<string> = new Set(['', 'metadata.name', 'metadata.namespace']);

function unknownField(resource: Resource, field: string): Error {
  const say = resource.definition.unknownField;
  if (say) return badRequest(say(field));
  const own = Object.keys(resource.cache.fields);
  return badRequest(
    own.length > 0
      ? `field label not supported: ${field}`
      : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

export function selects(selection: Selection, resource: Resource, entry: Entry): boolean {
  if (selection.namespace !== '' && resource.namespaced && !entry.key.startsWith(selection.namespace, resource.cache.prefix.length))
    return false;
  if (
    selection.namespace !== '' &&
    resource.namespaced &&
    entry.key.charCodeAt(resource.cache.prefix.length + selection.namespace.length) !== 47
  )
    return false;
  if (!selection.labels && selection.fields.length === 0) return true;
  return matches(selection, entry.selectable(resource.cache.fields));
}

function matches(selection: Selection, { labels, fields }: Selectable): boolean {
  for (const { field, operator, value } of selection.fields) {
    if (((fields[field] ?? '') === value) !== (operator === '=')) return false;
  }
  return selection.labels ? selection.labels.matches(labels) : true;
}
