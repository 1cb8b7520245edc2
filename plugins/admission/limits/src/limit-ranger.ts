import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { aboveMax, belowMin, overRatio } from './constraints.ts';
import { applyDefaults } from './pod-defaults.ts';
import type { Amounts, Container, Pod } from './pod-totals.ts';
import { podTotals } from './pod-totals.ts';

export interface LimitRange extends KubeObject {
  spec?: { limits?: LimitRangeItem[] };
}
export interface LimitRangeItem {
  type: string;
  max?: Amounts;
  min?: Amounts;
  default?: Amounts;
  defaultRequest?: Amounts;
  maxLimitRequestRatio?: Amounts;
}

interface Claim extends KubeObject {
  spec?: { resources?: { requests?: Amounts } };
}

/** https://kubernetes.io/docs/concepts/policy/limit-range/ */
export function limitRanger(): Admission {
  let reader: ApiReader;
  const itemsOf = ({ namespace }: AdmissionAttributes): LimitRangeItem[] =>
    reader.list<LimitRange>('', 'limitranges', namespace).flatMap(({ spec }) => spec?.limits ?? []);
  return {
    init(apiReader) {
      reader = apiReader;
    },
    // A pod's containers cannot change once it is there, so that only creates matter.
    handles: (operation, group, resource, subresource) =>
      group === '' &&
      subresource === '' &&
      (resource === 'pods'
        ? operation === 'CREATE'
        : resource === 'persistentvolumeclaims' && (operation === 'CREATE' || operation === 'UPDATE')),
    admit(attributes) {
      if (attributes.resource !== 'pods') return;
      for (const range of reader.list<LimitRange>('', 'limitranges', attributes.namespace))
        applyDefaults(attributes.object as Pod, range.spec?.limits ?? []);
    },
    validate(attributes) {
      if (attributes.object?.metadata.deletionTimestamp) return;
      for (const item of itemsOf(attributes)) {
        const errors =
          attributes.resource === 'pods' ? podErrors(attributes.object as Pod, item) : claimErrors(attributes.object as Claim, item);
        if (errors.length > 0) throw admissionDenied(attributes, errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`);
      }
    },
  };
}

function podErrors(pod: Pod, item: LimitRangeItem): string[] {
  if (item.type === 'Pod') {
    const { requests, limits } = podTotals(pod);
    return constraintErrors(item, requests, limits);
  }
  if (item.type !== 'Container') return [];
  const all: Container[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return all.flatMap(({ resources }) => constraintErrors(item, resources?.requests ?? {}, resources?.limits ?? {}));
}

function constraintErrors(item: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  const errors: (string | undefined)[] = [];
  for (const name of names(item.min)) errors.push(belowMin(item.type, name, item.min?.[name] as string, requests[name], limits[name]));
  for (const name of names(item.max)) errors.push(aboveMax(item.type, name, item.max?.[name] as string, requests[name], limits[name]));
  for (const name of names(item.maxLimitRequestRatio)) {
    errors.push(overRatio(item.type, name, item.maxLimitRequestRatio?.[name] as string, requests[name], limits[name]));
  }
  return errors.filter((error) => error !== undefined);
}

/** A claim has requests only. */
function claimErrors(claim: Claim, item: LimitRangeItem): string[] {
  if (item.type !== 'PersistentVolumeClaim') return [];
  const requests = claim.spec?.resources?.requests ?? {};
  const errors: (string | undefined)[] = [];
  for (const name of names(item.min)) errors.push(belowMin(item.type, name, item.min?.[name] as string, requests[name], undefined));
  for (const name of names(item.max))
    errors.push(aboveMax(item.type, name, item.max?.[name] as string, undefined, requests[name], 'request'));
  return errors.filter((error) => error !== undefined);
}

function names(amounts: Amounts | undefined): string[] {
  return Object.keys(amounts ?? {}).sort();
}
