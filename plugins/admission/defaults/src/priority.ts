import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Pod } from './pod.ts';

const GROUP = 'scheduling.k8s.io';
const SYSTEM_CLASSES = ['system-cluster-critical', 'system-node-critical'];

interface PriorityClass extends KubeObject {
  value: number;
  globalDefault?: boolean;
  preemptionPolicy?: string;
}

/**
 * Turns a pod's priority class into the number the scheduler sorts by.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export function priority(): Admission {
  let reader: ApiReader;

  const defaultClass = (): PriorityClass | undefined =>
    reader
      .list<PriorityClass>(GROUP, 'priorityclasses')
      .filter(({ globalDefault }) => globalDefault)
      .sort((a, b) => a.value - b.value)[0];

  const classOf = async (attributes: AdmissionAttributes, name: string): Promise<PriorityClass> => {
    const look = (): PriorityClass | undefined => reader.get<PriorityClass>(GROUP, 'priorityclasses', '', name);
    const found = look() ?? (await reader.fresh?.(), look());
    if (!found) throw admissionDenied(attributes, `no PriorityClass with name ${name} was found`);
    return found;
  };

  const admitPod = (attributes: AdmissionAttributes): void | Promise<void> => {
    const { spec } = attributes.object as Pod;
    if (attributes.operation === 'UPDATE') {
      const old = (attributes.oldObject as Pod).spec;
      spec.priority ??= old.priority;
      spec.preemptionPolicy ??= old.preemptionPolicy;
      return;
    }
    if (spec.priorityClassName) return classOf(attributes, spec.priorityClassName).then((found) => setPriority(attributes, spec, found));
    const found = defaultClass();
    if (found) spec.priorityClassName = found.metadata.name;
    setPriority(attributes, spec, found ?? { value: 0, preemptionPolicy: 'PreemptLowerPriority' });
  };

  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles(operation, group, resource, subresource) {
      if (subresource !== '' || operation === 'CONNECT') return false;
      return group === '' ? resource === 'pods' && operation !== 'DELETE' : group === GROUP && resource === 'priorityclasses';
    },
    admit: (attributes) => (attributes.resource === 'pods' ? admitPod(attributes) : undefined),
    validate(attributes) {
      if (attributes.resource !== 'priorityclasses') return;
      if (attributes.operation === 'DELETE') {
        if (SYSTEM_CLASSES.includes(attributes.name))
          throw admissionDenied(attributes, 'this is a system priority class and cannot be deleted');
        return;
      }
      const object = attributes.object as PriorityClass;
      const existing = object.globalDefault ? defaultClass() : undefined;
      if (existing && existing.metadata.name !== object.metadata.name) {
        throw admissionDenied(
          attributes,
          `PriorityClass ${existing.metadata.name} is already marked as default. Only one default can exist`,
        );
      }
    },
  };
}

function setPriority(attributes: AdmissionAttributes, spec: Pod['spec'], found: Pick<PriorityClass, 'value' | 'preemptionPolicy'>): void {
  const computed = 'priority admission controller computed';
  if (spec.priority !== undefined && spec.priority !== found.value) {
    const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; ${computed} ${found.value} from the given PriorityClass name`;
    throw admissionDenied(attributes, why);
  }
  spec.priority = found.value;
  if (!found.preemptionPolicy) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== found.preemptionPolicy) {
    const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ${computed} ${found.preemptionPolicy} from the given PriorityClass name`;
    throw admissionDenied(attributes, why);
  }
  spec.preemptionPolicy = found.preemptionPolicy;
}
