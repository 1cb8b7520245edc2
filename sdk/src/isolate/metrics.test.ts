import { expect, it } from 'vitest';
import { IsolateMetrics } from './metrics.ts';

interface Family {
  name: string;
  values: { value: number; labels: Record<string, string> }[];
}

it('a reader finds what was counted before the metrics were loaded, in order', async () => {
  const metrics = new IsolateMetrics();
  const factory = metrics.factory();
  const counter = factory.counter('early_total', 'Counted early.', ['kind']);
  const gauge = factory.gauge('early_level', 'Set early.');
  counter.inc({ kind: 'a' });
  counter.inc({ kind: 'a' }, 2);
  gauge.set({}, 7);
  gauge.set({}, 5);
  const families = (await metrics.collect()) as Family[];
  const valueOf = (found: Family[], name: string) => found.find((family) => family.name === name)?.values[0]?.value;
  expect([valueOf(families, 'early_total'), valueOf(families, 'early_level')]).toEqual([3, 5]);
  counter.inc({ kind: 'a' });
  expect(valueOf((await metrics.collect()) as Family[], 'early_total')).toBe(4);
});

it('an isolate without metrics has none to read', async () => {
  expect(await new IsolateMetrics().collect()).toEqual([]);
});

it('more counts than may wait are kept all the same', async () => {
  const metrics = new IsolateMetrics();
  const counter = metrics.factory().counter('many_total', 'Counted very often before anything was loaded.');
  for (let i = 0; i < 20_000; i++) counter.inc();
  const families = (await metrics.collect()) as Family[];
  expect(families.find((family) => family.name === 'many_total')?.values[0]?.value).toBe(20_000);
});
