import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { quantitiesEqual } from '@kubernel/sdk/api';
import type { Pod, Toleration } from './pod.ts';
import { isPod } from './pod.ts';
import { merged } from './tolerations.ts';

interface RuntimeClass extends KubeObject {
  overhead?: { podFixed?: Record<string, string> };
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] };
}

/** Gives a pod the overhead and the placement of its runtime class. https://kubernetes.io/docs/concepts/containers/runtime-class/ */
export function runtimeClass(): Admission {
  let reader: ApiReader;
  const classOf = async (attributes: AdmissionAttributes, name: string): Promise<RuntimeClass> => {
    const look = (): RuntimeClass | undefined => reader.get<RuntimeClass>('node.k8s.io', 'runtimeclasses', '', name);
    const found = look() ?? (await reader.fresh?.(), look());
    if (!found) throw admissionDenied(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    return found;
  };
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (...request) => isPod(...request, ['CREATE']),
    admit(attributes) {
      const { runtimeClassName } = (attributes.object as Pod).spec;
      return runtimeClassName ? classOf(attributes, runtimeClassName).then((found) => applyClass(attributes, found)) : undefined;
    },
    validate(attributes) {
      const { spec } = attributes.object as Pod;
      return spec.runtimeClassName
        ? classOf(attributes, spec.runtimeClassName).then((found) => checkOverhead(attributes, found))
        : checkOverhead(attributes, undefined);
    },
  };
}

function applyClass(attributes: AdmissionAttributes, { overhead, scheduling }: RuntimeClass): void {
  const { spec } = attributes.object as Pod;
  if (overhead) {
    if (spec.overhead && !sameAmounts(spec.overhead, overhead.podFixed ?? {})) throw mismatch(attributes);
    spec.overhead = { ...overhead.podFixed };
  }
  if (!scheduling) return;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      throw admissionDenied(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    }
  }
  if (scheduling.nodeSelector) spec.nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector };
  if (scheduling.tolerations) spec.tolerations = merged(spec.tolerations ?? [], scheduling.tolerations);
}

function checkOverhead(attributes: AdmissionAttributes, found: RuntimeClass | undefined): void {
  const { spec } = attributes.object as Pod;
  if (found?.overhead) {
    if (!sameAmounts(spec.overhead ?? {}, found.overhead.podFixed ?? {})) throw mismatch(attributes);
  } else if (spec.overhead) {
    throw admissionDenied(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  }
}

function mismatch(attributes: AdmissionAttributes): Error {
  return admissionDenied(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

function sameAmounts(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && quantitiesEqual(a[name], b[name]));
}
