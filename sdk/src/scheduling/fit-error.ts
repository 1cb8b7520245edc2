/** The texts a person reads when a pod fits nowhere, worded as upstream's. */

export const NO_NODES = 'no nodes available to schedule pods';

/**
 * `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) didn't match …. preemption: …`. Reasons are sorted as text,
 * count included, as upstream sorts them.
 */
export function fitError(
  nodeCount: number,
  reasons: ReadonlyMap<string, number>,
  rejection?: readonly string[],
  postFilter?: string,
): string {
  let text = `0/${nodeCount} nodes are available:`;
  if (rejection) text += ` ${rejection.join(', ')}.`;
  else if (reasons.size) text += ` ${histogram(reasons)}.`;
  if (postFilter) text += ` ${postFilter}`;
  return text;
}

function histogram(reasons: ReadonlyMap<string, number>): string {
  return [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');
}
