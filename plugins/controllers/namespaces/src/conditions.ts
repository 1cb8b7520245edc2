import { type Condition, timestamp, withCondition } from '@kubernel/sdk/client';
import type { NamespaceContent } from './controller.ts';

/** Condition type -> reason and message while all is well, as kubectl users know them. */
const WELL: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  NamespaceDeletionDiscoveryFailure: ['ResourcesDiscovered', 'All resources successfully discovered'],
  NamespaceDeletionGroupVersionParsingFailure: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  NamespaceDeletionContentFailure: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  NamespaceContentRemaining: ['ContentRemoved', 'All content successfully removed'],
  NamespaceFinalizersRemaining: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
};

/** What a namespace says about its deletion: what could not be deleted, what is left, and which finalizers hold it. */
export function deletionConditions(content: NamespaceContent, now: number): (old: readonly Condition[]) => readonly Condition[] {
  const troubles = new Map<string, readonly [reason: string, message: string]>();
  if (content.stale.length > 0) {
    troubles.set('NamespaceDeletionDiscoveryFailure', [
      'DiscoveryFailed',
      `Discovery failed for some groups, ${content.stale.length} failing: unable to retrieve the complete list of server APIs: ${content.stale.sort().join(', ')}`,
    ]);
  }
  if (content.problems.length > 0) {
    troubles.set('NamespaceDeletionContentFailure', [
      'ContentDeletionFailed',
      `Failed to delete all resource types, ${content.problems.length} remaining: ${content.problems.sort().join(', ')}`,
    ]);
  }
  const left = content.resources.filter((resource) => resource.left > 0);
  if (left.length > 0) {
    const counts = left.map(({ resource, left: count }) => `${resource.resource}.${resource.group} has ${count} resource instances`);
    troubles.set('NamespaceContentRemaining', ['SomeResourcesRemain', `Some resources are remaining: ${counts.sort().join(', ')}`]);
  }
  const finalizers = new Map<string, number>();
  for (const resource of left) for (const [name, count] of resource.finalizers) finalizers.set(name, (finalizers.get(name) ?? 0) + count);
  if (finalizers.size > 0) {
    const counts = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
    troubles.set('NamespaceFinalizersRemaining', [
      'SomeFinalizersRemain',
      `Some content in the namespace has finalizers remaining: ${counts.sort().join(', ')}`,
    ]);
  }
  return (old) => {
    let conditions = old;
    for (const [type, well] of Object.entries(WELL)) {
      const trouble = troubles.get(type);
      const [reason, message] = trouble ?? well;
      conditions = withCondition(conditions, { type, status: trouble ? 'True' : 'False', reason, message }, timestamp(now));
    }
    return conditions;
  };
}
