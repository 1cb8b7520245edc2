/** Tolerations and taints that clusters add on their own. */
import type { Admission } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Pod, Toleration } from './pod.ts';
import { isPod } from './pod.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

export interface DefaultTolerationSecondsConfig {
  /** Seconds a pod stays on a node that is not ready. Default 300. */
  notReadySeconds?: number;
  /** Seconds a pod stays on a node that cannot be reached. Default 300. */
  unreachableSeconds?: number;
}

/** A pod that says nothing stays five minutes on a node that is not ready or unreachable. */
export function defaultTolerationSeconds({ notReadySeconds = 300, unreachableSeconds = 300 }: DefaultTolerationSecondsConfig): Admission {
  return {
    handles: (...request) => isPod(...request, ['CREATE', 'UPDATE']),
    admit(attributes) {
      const { spec } = attributes.object as Pod;
      for (const [key, tolerationSeconds] of [
        [NOT_READY, notReadySeconds],
        [UNREACHABLE, unreachableSeconds],
      ] as const) {
        const tolerated = spec.tolerations?.some((one) => (one.key === key || !one.key) && (one.effect === 'NoExecute' || !one.effect));
        if (!tolerated)
          spec.tolerations = [...(spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }];
      }
    },
  };
}

interface Node extends KubeObject {
  spec?: { taints?: { key: string; value?: string; effect: string }[] };
}

/** A node that just registered takes no pods until the node controller has seen it ready. */
export function taintNodesByCondition(): Admission {
  return {
    handles: (operation, group, resource, subresource) =>
      operation === 'CREATE' && group === '' && resource === 'nodes' && subresource === '',
    admit(attributes) {
      const node = attributes.object as Node;
      const taints = node.spec?.taints ?? [];
      if (taints.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')) return;
      node.spec = { ...node.spec, taints: [...taints, { key: NOT_READY, effect: 'NoSchedule' }] };
    },
  };
}

/** A pod that asks for a device tolerates the taint its nodes carry. Not on by default, as upstream. */
export function extendedResourceToleration(): Admission {
  return {
    handles: (...request) => isPod(...request, ['CREATE', 'UPDATE']),
    admit(attributes) {
      const { spec } = attributes.object as Pod;
      const names = new Set<string>();
      for (const { resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        for (const name of Object.keys(resources?.requests ?? {})) if (isExtended(name)) names.add(name);
      }
      for (const key of [...names].sort())
        spec.tolerations = merged(spec.tolerations ?? [], [{ key, operator: 'Exists', effect: 'NoSchedule' }]);
    },
  };
}

function isExtended(name: string): boolean {
  const slash = name.indexOf('/');
  if (slash < 0) return false;
  const domain = name.slice(0, slash);
  return domain !== 'kubernetes.io' && !domain.endsWith('.kubernetes.io') && !name.startsWith('requests.');
}

/** Both lists without what another of them covers. */
export function merged(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  const result: Toleration[] = [];
  all.forEach((toleration, index) => {
    if (result.some((one) => covers(one, toleration))) return;
    if (all.slice(index + 1).some((later) => !same(later, toleration) && covers(later, toleration))) return;
    result.push(toleration);
  });
  return result;
}

function same(a: Toleration, b: Toleration): boolean {
  return (
    a.key === b.key &&
    a.operator === b.operator &&
    a.value === b.value &&
    a.effect === b.effect &&
    a.tolerationSeconds === b.tolerationSeconds
  );
}

function covers(wide: Toleration, narrow: Toleration): boolean {
  if (same(wide, narrow)) return true;
  if (narrow.key !== wide.key && !(!wide.key && wide.operator === 'Exists')) return false;
  if (narrow.effect !== wide.effect && wide.effect) return false;
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  if (wide.operator === 'Exists') return true;
  return (!wide.operator || wide.operator === 'Equal') && narrow.operator === 'Equal' && narrow.value === wide.value;
}
