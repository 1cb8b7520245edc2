import type { ResourceDefinition } from '@kubernel/sdk';
import { fieldLabelNotSupported, fieldTexts, resourcesOf } from '@kubernel/sdk/api';
import { fromStored, toStored } from './conversion.ts';
import { strategies } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('events.k8s.io', 'v1', 'events');
const strategy = strategies.events;

const SUBJECT = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
/** What a selector says of an event, in the words of the events it is stored as. */
const fieldLabels: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SUBJECT.map((field) => [`regarding.${field}`, `involvedObject.${field}`])),
  reason: 'reason',
  reportingController: 'reportingComponent',
  type: 'type',
};

export const resources: readonly ResourceDefinition[] = [
  define({
    kind: 'Event',
    plural: 'events',
    namespaced: true,
    shortNames: ['ev'],
    table: tables.events,
    storedAs: { group: '', version: 'v1', toStored, fromStored, fieldLabels },
    ttlSeconds: 3600,
    ...(strategy && { strategy }),
    selectableFields: fieldTexts(
      'regarding.kind',
      'regarding.namespace',
      'regarding.name',
      'regarding.uid',
      'regarding.apiVersion',
      'regarding.resourceVersion',
      'regarding.fieldPath',
      'reason',
      'reportingController',
      'type',
    ),
    unknownField: fieldLabelNotSupported,
  }),
];
