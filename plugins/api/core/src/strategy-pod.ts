import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { dropDisabledPodFields, keepMetadata, kindStrategy, podAnnotationWarnings, podWarnings } from '@kubernel/sdk/api';
import { podQosClass } from './pod-qos.ts';
import { checkNewPod, checkPodUpdate } from './validation/pod.ts';
import { checkEphemeralContainersUpdate, checkPodResize, checkPodStatus } from './validation/pod-subresources.ts';

/** Pods: status starts anew, keys of matchLabelKeys become selectors, and what was once placed stays as it is. */

const spec = (pod: KubeObject): Decoded => (pod.spec ?? {}) as Decoded;

export const podStrategy: Strategy = {
  ...kindStrategy({ namespaced: true }),
  generation: true,
  generationOf: (pod) => pod.spec,
  prepareForCreate(pod, { warn }) {
    for (const text of podAnnotationWarnings(pod)) warn(text);
    dropDisabledPodFields(spec(pod));
    if (spec(pod).terminationGracePeriodSeconds < 0) spec(pod).terminationGracePeriodSeconds = 1;
    pod.status = { phase: 'Pending', qosClass: podQosClass(spec(pod)) };
    if (spec(pod).schedulingGates?.length) {
      const condition = {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      };
      pod.status = { phase: 'Pending', conditions: [condition], qosClass: podQosClass(spec(pod)) };
    }
    mergeMatchLabelKeys(pod);
  },
  prepareForUpdate(pod, old) {
    dropDisabledPodFields(spec(pod));
    pod.status = structuredClone(old.status);
  },
  validate: (pod, errors) => checkNewPod(pod, errors),
  validateUpdate: (pod, old, errors) => checkPodUpdate(pod, old, errors),
  warnings: (pod, old) => podWarnings(pod, old),
  gracePeriod(pod, requested) {
    const phase = (pod.status as Decoded | undefined)?.phase;
    if (!spec(pod).nodeName || phase === 'Failed' || phase === 'Succeeded') return 0;
    const seconds = requested ?? spec(pod).terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
  resetFields: ['status'],
};

/** The keys' values on this pod go into the selectors (KEP-3633, KEP-3243), so that schedulers need only look at those. */
function mergeMatchLabelKeys(pod: KubeObject): void {
  const labels = pod.metadata.labels ?? {};
  const extend = (term: Decoded, keys: readonly string[] | undefined, operator: string): void => {
    for (const key of keys ?? []) {
      const value = labels[key];
      if (value === undefined) continue;
      term.labelSelector.matchExpressions = [...(term.labelSelector.matchExpressions ?? []), { key, operator, values: [value] }];
    }
  };
  const { affinity, topologySpreadConstraints = [] } = spec(pod);
  for (const kind of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const required: Decoded[] = kind?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred: Decoded[] = (kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (weighted: Decoded) => weighted.podAffinityTerm ?? {},
    );
    for (const term of [...required, ...preferred]) {
      if (!term.labelSelector) continue;
      extend(term, term.matchLabelKeys, 'In');
      extend(term, term.mismatchLabelKeys, 'NotIn');
    }
  }
  for (const constraint of topologySpreadConstraints) if (constraint.labelSelector) extend(constraint, constraint.matchLabelKeys, 'In');
}

export const podStatusStrategy: Strategy = {
  prepareForUpdate(pod, old) {
    pod.spec = structuredClone(old.spec);
    delete pod.metadata.deletionTimestamp;
    if (old.metadata.deletionTimestamp) pod.metadata.deletionTimestamp = old.metadata.deletionTimestamp;
    pod.metadata.ownerReferences = structuredClone(old.metadata.ownerReferences);
    if (!pod.metadata.ownerReferences) delete pod.metadata.ownerReferences;
    const status = (pod.status ??= {}) as Decoded;
    status.qosClass ??= (old.status as Decoded | undefined)?.qosClass;
  },
  validateUpdate: (pod, old, errors) => checkPodStatus(pod, old, errors),
  resetFields: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
};

/** Everything but the one part is as it was stored. */
function keepAllBut(pod: KubeObject, old: KubeObject, take: (into: Decoded, from: Decoded) => void): void {
  const from = spec(pod);
  keepMetadata(pod, old);
  pod.spec = structuredClone(old.spec);
  pod.status = structuredClone(old.status);
  take(spec(pod), from);
}

export const podEphemeralContainersStrategy: Strategy = {
  generation: true,
  generationOf: (pod) => pod.spec,
  prepareForUpdate(pod, old) {
    keepAllBut(pod, old, (into, from) => {
      into.ephemeralContainers = from.ephemeralContainers;
    });
  },
  validateUpdate: (pod, old, errors) => checkEphemeralContainersUpdate(pod, old, errors),
};

export const podResizeStrategy: Strategy = {
  generation: true,
  generationOf: (pod) => pod.spec,
  prepareForUpdate(pod, old) {
    keepAllBut(pod, old, (into, from) => {
      for (const list of ['containers', 'initContainers'] as const) {
        const given: Decoded[] = from[list] ?? [];
        if (given.length !== (into[list] ?? []).length) {
          into[list] = given; // for validation to refuse
          continue;
        }
        into[list]?.forEach((container: Decoded, i: number) => {
          const other = given[i];
          if (!other || other.name !== container.name) return;
          container.resources = other.resources;
          container.resizePolicy = other.resizePolicy;
        });
      }
    });
  },
  validateUpdate: (pod, old, errors) => checkPodResize(pod, old, errors),
};
