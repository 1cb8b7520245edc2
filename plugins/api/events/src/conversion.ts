import type { KubeObject } from '@kubernel/sdk/api';

/**
 * One store holds the events of both groups, in the core form; the two differ in the names of some fields
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
 */
const CORE_NAMES: readonly (readonly [field: string, coreField: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

export function toStored(event: KubeObject): KubeObject {
  return renamed(event, 'v1', CORE_NAMES);
}

export function fromStored(event: KubeObject): KubeObject {
  return renamed(
    event,
    'events.k8s.io/v1',
    CORE_NAMES.map(([field, coreField]) => [coreField, field] as const),
  );
}

function renamed(event: KubeObject, apiVersion: string, names: readonly (readonly [from: string, to: string])[]): KubeObject {
  const result: KubeObject = { ...event, apiVersion };
  for (const [from, to] of names) {
    const value = event[from];
    delete result[from];
    if (value !== undefined) result[to] = value;
  }
  return result;
}
