import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { FieldPath, IMMUTABLE, isZero, semanticEqual } from '@kubernel/sdk/api';

/** Events of events.k8s.io, in the core form they are stored in: errors name the fields so. */

const MIN_COUNT = 2;

export function checkNewEvent(event: Decoded, errors: FieldErrors): void {
  checkSeries(event, errors);
  if (!event.eventTime) errors.required(FieldPath.of('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.invalid(FieldPath.of('type'), '', `has invalid value: ${event.type ?? ''}`);
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count', 'source']) {
    if (!isZero(event[field])) errors.invalid(FieldPath.of(field), '', 'needs to be unset');
  }
}

function checkSeries({ series }: Decoded, errors: FieldErrors): void {
  if (!series) return;
  if ((series.count ?? 0) < MIN_COUNT) errors.invalid(FieldPath.of('series.count'), '', `should be at least ${MIN_COUNT}`);
  if (!series.lastObservedTime) errors.required(FieldPath.of('series.lastObservedTime'));
}

/** Upstream compares the reason twice. */
const FIXED = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'reason',
  'type',
  'eventTime',
  'action',
  'related',
];

/** An event may be seen again: all but its series stays. */
export function checkEventUpdate(event: Decoded, old: Decoded, errors: FieldErrors): void {
  if (!semanticEqual(event.series, old.series)) checkSeries(event, errors);
  for (const field of FIXED)
    if (!semanticEqual(event[field], old[field])) errors.invalid(FieldPath.of(field), event[field] ?? '', IMMUTABLE);
  if (!semanticEqual(event.reportingComponent, old.reportingComponent))
    errors.invalid(FieldPath.of('reportingController'), event.reportingComponent ?? '', IMMUTABLE);
  if (!semanticEqual(event.reportingInstance, old.reportingInstance))
    errors.invalid(FieldPath.of('reportingInstance'), event.reportingInstance ?? '', IMMUTABLE);
}
