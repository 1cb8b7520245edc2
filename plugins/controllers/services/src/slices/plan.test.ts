import type { Endpoint, EndpointSlice } from '@kubernel/sdk/api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EndpointGroup, planSlices, portsKey } from './plan.ts';

const MAX = 5;

const endpoint = (pod: number, ready: boolean): Endpoint => ({
  addresses: [`10.0.0.${pod}`],
  conditions: { ready },
  targetRef: { kind: 'Pod', uid: `u${pod}` },
});

/** Which pods there are, which port each has, and whether it is ready. */
const world = fc.uniqueArray(
  fc.record({ pod: fc.integer({ min: 1, max: 30 }), port: fc.integer({ min: 1, max: 2 }), ready: fc.boolean() }),
  {
    selector: ({ pod }) => pod,
    maxLength: 25,
    size: 'large',
  },
);

type World = { pod: number; port: number; ready: boolean }[];

function groupsOf(pods: World): EndpointGroup[] {
  const groups = Map.groupBy(pods, ({ port }) => port);
  if (groups.size === 0) return [{ addressType: 'IPv4', ports: [], endpoints: [] }];
  return [...groups].map(([port, members]) => ({
    addressType: 'IPv4',
    ports: [{ name: 'p', protocol: 'TCP', port }],
    endpoints: members.map(({ pod, ready }) => endpoint(pod, ready)),
  }));
}

let names = 0;

/** The slices after a plan was carried out. */
function apply(existing: readonly EndpointSlice[], groups: readonly EndpointGroup[]): { slices: EndpointSlice[]; writes: number } {
  const plan = planSlices(existing, groups, MAX);
  const slices = new Map(existing.map((slice) => [slice.metadata.name, slice]));
  for (const slice of plan.delete) expect(slices.delete(slice.metadata.name)).toBe(true);
  for (const { slice, endpoints } of plan.update) {
    expect(slices.has(slice.metadata.name)).toBe(true);
    slices.set(slice.metadata.name, { ...slice, endpoints });
  }
  for (const group of plan.create) {
    const name = `s${names++}`;
    slices.set(name, { metadata: { name, uid: name }, ...group });
  }
  return { slices: [...slices.values()], writes: plan.delete.length + plan.update.length + plan.create.length };
}

function shown(slices: readonly { ports: EndpointSlice['ports']; endpoints: EndpointSlice['endpoints'] }[]): string[] {
  return slices
    .flatMap(({ ports, endpoints }) =>
      (endpoints ?? []).map(({ addresses, conditions }) => `${portsKey(ports ?? [])} ${addresses} ${conditions?.ready}`),
    )
    .sort();
}

test('through any history the slices say what there is, once each, within their size, and rest when nothing changes', () => {
  fc.assert(
    fc.property(fc.array(world, { minLength: 1, maxLength: 8, size: 'max' }), (history) => {
      let slices: EndpointSlice[] = [];
      for (const pods of history) {
        const groups = groupsOf(pods);
        ({ slices } = apply(slices, groups));
        expect(shown(slices)).toEqual(shown(groups));
        for (const { endpoints } of slices) expect(endpoints?.length ?? 0).toBeLessThanOrEqual(MAX);
        if (pods.length === 0) expect(slices).toHaveLength(1);
        else expect(slices.every(({ endpoints }) => (endpoints?.length ?? 0) > 0)).toBe(true);
        expect(apply(slices, groups).writes).toBe(0);
      }
    }),
    { numRuns: 500 },
  );
});

test('one pod more, less or changed is one write', () => {
  const pods: World = Array.from({ length: 13 }, (_, i) => ({ pod: i + 1, port: 1, ready: true }));
  const { slices } = apply([], groupsOf(pods));
  expect(slices.map(({ endpoints }) => endpoints?.length)).toEqual([5, 5, 3]);
  expect(apply(slices, groupsOf([...pods, { pod: 29, port: 1, ready: true }])).writes).toBe(1);
  expect(apply(slices, groupsOf(pods.slice(1))).writes).toBe(1);
  expect(apply(slices, groupsOf(pods.map((each) => (each.pod === 7 ? { ...each, ready: false } : each)))).writes).toBe(1);
  // A rollout replaces a pod: the new one takes the place of the old one.
  expect(apply(slices, groupsOf([...pods.slice(1), { pod: 29, port: 1, ready: true }])).writes).toBe(1);
});
