/** Labels a kubelet may put on its own node: what it knows, and nothing that decides which pods come to it. */
const ALLOWED = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
]);

export function changedLabels(now: Record<string, string> = {}, before: Record<string, string> = {}): string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((key) => now[key] !== before[key]);
}

/** Those that only an administrator may set. */
export function forbiddenLabels(keys: readonly string[]): string[] {
  return keys
    .filter((key) => {
      const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
      const within = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
      if (within('node-restriction.kubernetes.io')) return true;
      if (!within('kubernetes.io') && !within('k8s.io')) return false;
      return !ALLOWED.has(key) && !within('kubelet.kubernetes.io') && !within('node.kubernetes.io');
    })
    .sort();
}
