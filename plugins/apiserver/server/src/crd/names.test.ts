import { expect, it } from 'vitest';
import type { CustomResourceDefinition } from './definition.ts';
import { judgeNames } from './names.ts';

const NOW = '2026-01-01T00:00:00Z';
const crd = (
  names: Partial<CustomResourceDefinition['spec']['names']>,
  status?: CustomResourceDefinition['status'],
): CustomResourceDefinition => ({
  kind: 'CustomResourceDefinition',
  apiVersion: 'apiextensions.k8s.io/v1',
  metadata: { name: 'foos.e.com' },
  spec: {
    group: 'e.com',
    scope: 'Cluster',
    names: { plural: 'foos', kind: 'Foo', singular: 'foo', listKind: 'FooList', ...names },
    versions: [],
  },
  ...(status ? { status } : {}),
});

it('a definition whose names are free is established', () => {
  const { accepted, conditions } = judgeNames(crd({ shortNames: ['f'] }), [], NOW);
  expect(accepted).toEqual({ plural: 'foos', singular: 'foo', shortNames: ['f'], kind: 'Foo', listKind: 'FooList' });
  expect(conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['NamesAccepted', 'True', 'NoConflicts'],
    ['Established', 'True', 'InitialNamesAccepted'],
  ]);
});

it('a definition that wants taken names gets the others, and is not established', () => {
  const { accepted, conditions } = judgeNames(
    crd({ plural: 'bars', shortNames: ['zz'] }),
    [{ plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' }],
    NOW,
  );
  expect(accepted).toEqual({ plural: 'bars', shortNames: ['zz'], kind: '' });
  expect(conditions).toEqual([
    { type: 'NamesAccepted', status: 'False', lastTransitionTime: NOW, reason: 'ListKindConflict', message: '"FooList" is already in use' },
    { type: 'Established', status: 'False', lastTransitionTime: NOW, reason: 'NotAccepted', message: 'not all names are accepted' },
  ]);
});

it('what is established stays so when it wants a taken short name later', () => {
  const first = judgeNames(crd({}), [], NOW);
  const { accepted, conditions } = judgeNames(
    crd({ shortNames: ['f'] }, { acceptedNames: first.accepted, conditions: first.conditions }),
    [{ shortNames: ['f'] }],
    'later',
  );
  expect(accepted.shortNames).toBeUndefined();
  expect(conditions.map(({ status, lastTransitionTime }) => [status, lastTransitionTime])).toEqual([
    ['False', 'later'],
    ['True', NOW],
  ]);
});
