import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { age, nameCell, table } from '@kubernel/sdk/api';

interface Event extends KubeObject {
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string | null };
  deprecatedSource?: { component?: string; host?: string };
  deprecatedFirstTimestamp?: string | null;
  deprecatedLastTimestamp?: string | null;
  deprecatedCount?: number;
  reportingController?: string;
  reportingInstance?: string;
  regarding?: { kind?: string; name?: string };
}

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  events: table(
    ['Last Seen', (event, now) => lastSeen(event, now), 'core.v1.Event.lastTimestamp'],
    ['Type', ({ type }) => type ?? '', 'core.v1.Event.type'],
    ['Reason', ({ reason }) => reason ?? '', 'core.v1.Event.reason'],
    ['Object', (event) => objectText(event), 'core.v1.Event.involvedObject'],
    ['+Subobject', ({ regarding }) => regarding?.fieldPath ?? '', 'core.v1.ObjectReference.fieldPath'],
    ['+Source', (event) => sourceText(event), 'core.v1.Event.source'],
    ['Message', ({ note }) => (note ?? '').trim(), 'core.v1.Event.message'],
    ['+First Seen', (event, now) => firstSeen(event, now), 'core.v1.Event.firstTimestamp'],
    ['+Count', ({ series, deprecatedCount }) => series?.count ?? (deprecatedCount || 1), 'core.v1.Event.count'],
    ['+Name', 'name', nameCell],
  ),
} satisfies Record<string, TableDefinition>;

const firstSeen = ({ deprecatedFirstTimestamp, eventTime }: Event, now: number): string => age(deprecatedFirstTimestamp || eventTime, now);

function lastSeen(event: Event, now: number): string {
  if (event.series) return age(event.series.lastObservedTime, now);
  return event.deprecatedLastTimestamp ? age(event.deprecatedLastTimestamp, now) : firstSeen(event, now);
}

function sourceText({ deprecatedSource, reportingController, reportingInstance }: Event): string {
  const component = deprecatedSource?.component || reportingController || '';
  const instance = deprecatedSource?.host || reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}

function objectText({ regarding }: Event): string {
  const kind = (regarding?.kind ?? '').toLowerCase();
  return regarding?.name ? `${kind}/${regarding.name}` : kind;
}
