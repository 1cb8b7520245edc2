import type { Subresource } from '@kubernel/sdk';
import type { Resource } from '../registry.ts';
import type { FieldSet } from './field-set.ts';
import { isEmptySet, MEMBER } from './field-set.ts';

/** What every request carries or the server fills in: nobody manages it. */
const UNMANAGED_ROOT = ['f:apiVersion', 'f:kind'];
const UNMANAGED_META = [
  '.',
  'f:name',
  'f:namespace',
  'f:creationTimestamp',
  'f:selfLink',
  'f:uid',
  'f:clusterName',
  'f:generation',
  'f:managedFields',
  'f:resourceVersion',
];

/** Takes the fields nobody manages out of a set that was just made, in place. */
export function stripUnmanaged(set: FieldSet): FieldSet {
  const root = set as Record<string, FieldSet>;
  for (const key of UNMANAGED_ROOT) if (key in root) delete root[key];
  const meta = root['f:metadata'];
  if (!meta) return set;
  const kept: Record<string, FieldSet> = {};
  for (const key in meta) if (!UNMANAGED_META.includes(key)) kept[key] = meta[key] as FieldSet;
  if (isEmptySet(kept)) delete root['f:metadata'];
  else root['f:metadata'] = kept;
  return set;
}

const cache = new WeakMap<Resource, Map<string, FieldSet>>();

/**
 * What a request to this endpoint cannot change, and so cannot own: the strategy's `resetFields` (dotted paths), else
 * `status` for a resource with a status subresource, and `spec` for that subresource.
 */
export function resetFieldsOf(resource: Resource, subresource: string): FieldSet {
  let sets = cache.get(resource);
  if (!sets) cache.set(resource, (sets = new Map()));
  let set = sets.get(subresource);
  if (!set) {
    const definition: Subresource | undefined = subresource ? resource.subresources[subresource] : undefined;
    const strategy = subresource
      ? (definition as { strategy?: { resetFields?: readonly string[] } } | undefined)?.strategy
      : resource.strategy;
    const fallback =
      subresource === '' ? ('status' in resource.subresources ? ['status'] : []) : definition?.type === 'status' ? ['spec'] : [];
    set = parse(strategy?.resetFields ?? fallback);
    sets.set(subresource, set);
  }
  return set;
}

function parse(paths: readonly string[]): FieldSet {
  const root: Record<string, FieldSet> = {};
  for (const path of paths) {
    let node = root;
    const steps = path.replace(/^\./, '').split('.');
    steps.forEach((step, index) => {
      const key = `f:${step}`;
      if (index === steps.length - 1) node[key] = MEMBER;
      else node = (node[key] = { ...(node[key] ?? {}) }) as Record<string, FieldSet>;
    });
  }
  return root;
}
