import { expect, test } from 'vitest';
import type { CoreEvent } from '../api/kinds/index.ts';
import type { KubeObject } from '../api/object.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { createEventRecorder } from './events.ts';
import { EVENTS } from './resources.ts';
import { createClient } from './rest-client.ts';

const pod = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'x', uid: `uid-${name}`, resourceVersion: '7' },
});

function recording() {
  const api = new FakeApi();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const recorder = createEventRecorder(createClient(api), { component: 'tester', host: 'n1', now: () => clock.now });
  const events = (): CoreEvent[] => api.all<CoreEvent>(EVENTS);
  return { api, clock, recorder, events };
}

test('an event has the fields that both of its APIs show', async () => {
  const { recorder, events } = recording();
  recorder.event(pod('a'), 'Normal', 'Pulled', 'image is there');
  await recorder.flush();
  expect(events()).toHaveLength(1);
  expect(events()[0]).toMatchObject({
    metadata: { namespace: 'x', name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) },
    involvedObject: { kind: 'Pod', apiVersion: 'v1', namespace: 'x', name: 'a', uid: 'uid-a', resourceVersion: '7' },
    type: 'Normal',
    reason: 'Pulled',
    message: 'image is there',
    source: { component: 'tester', host: 'n1' },
    reportingComponent: 'tester',
    reportingInstance: 'n1',
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
  });
});

test('an event of a cluster-scoped object is in the default namespace', async () => {
  const { recorder, events } = recording();
  recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }, 'Normal', 'NodeReady', 'ready');
  await recorder.flush();
  expect(events()[0]?.metadata.namespace).toBe('default');
});

test('the same event again raises the count of the first one', async () => {
  const { recorder, events, clock } = recording();
  for (let i = 0; i < 3; i++) {
    recorder.event(pod('a'), 'Warning', 'BackOff', 'crashing');
    clock.now += 10_000;
  }
  await recorder.flush();
  expect(events()).toHaveLength(1);
  expect(events()[0]).toMatchObject({ count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:20Z' });
});

test('a repeated event whose first one expired is written anew', async () => {
  const { api, recorder, events } = recording();
  recorder.event(pod('a'), 'Warning', 'BackOff', 'crashing');
  await recorder.flush();
  api.remove(EVENTS, `x/${events()[0]?.metadata.name}`);
  recorder.event(pod('a'), 'Warning', 'BackOff', 'crashing');
  await recorder.flush();
  expect(events()[0]?.count).toBe(2);
});

test('many events that differ only in their message are combined into one that counts', async () => {
  const { recorder, events } = recording();
  for (let i = 0; i < 15; i++) recorder.event(pod('a'), 'Normal', 'SuccessfulCreate', `Created pod: a-${i}`);
  await recorder.flush();
  expect(events()).toHaveLength(10);
  const combined = events().at(-1);
  expect(combined?.message).toBe('(combined from similar events): Created pod: a-14');
  expect(combined?.count).toBe(6);
});

test('one object cannot flood the API, and does not silence others', async () => {
  const { recorder, events, clock } = recording();
  for (let i = 0; i < 40; i++) recorder.event(pod('a'), 'Normal', `Reason${i}`, 'text');
  recorder.event(pod('b'), 'Normal', 'Reason', 'text');
  await recorder.flush();
  expect(events()).toHaveLength(26);
  clock.now += 300_000;
  recorder.event(pod('a'), 'Normal', 'Later', 'text');
  recorder.event(pod('a'), 'Normal', 'TooMany', 'text');
  await recorder.flush();
  expect(events()).toHaveLength(27);
});

test('events that cannot be written are dropped and nobody is troubled', async () => {
  const { api, recorder, events } = recording();
  api.onRequest = () => {
    throw new Error('down');
  };
  recorder.event(pod('a'), 'Normal', 'One', 'text');
  await recorder.flush();
  api.onRequest = undefined;
  recorder.event(pod('a'), 'Normal', 'Two', 'x'.repeat(2000));
  await recorder.flush();
  expect(events().map(({ reason }) => reason)).toEqual(['Two']);
  expect(events()[0]?.message).toHaveLength(1024);
});
