import { expect, test } from 'vitest';
import { fromStored, toStored } from './conversion.ts';

test('an event of events.k8s.io is stored as a core event and comes back whole', () => {
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'p' },
    note: 'n',
    reason: 'R',
    reportingController: 'c',
    reportingInstance: 'i',
    deprecatedCount: 3,
    deprecatedSource: { host: 'h' },
  };
  const stored = toStored(structuredClone(event));
  expect(stored).toMatchObject({
    apiVersion: 'v1',
    involvedObject: { name: 'p' },
    message: 'n',
    reportingComponent: 'c',
    count: 3,
    source: { host: 'h' },
  });
  expect(stored).not.toHaveProperty('note');
  expect(fromStored(stored)).toEqual(event);
});
