import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Entry, withResourceVersion } from './entry.ts';
import { prefixRange, SortedKeys } from './sorted-keys.ts';

test('the revision goes behind the uid, wherever metadata goes on or ends there', () => {
  expect(withResourceVersion('{"metadata":{"name":"a","uid":"u"},"x":1}', 7)).toBe(
    '{"metadata":{"name":"a","uid":"u","resourceVersion":"7"},"x":1}',
  );
  expect(withResourceVersion('{"metadata":{"name":"a","uid":"u","labels":{}}}', 7)).toBe(
    '{"metadata":{"name":"a","uid":"u","resourceVersion":"7","labels":{}}}',
  );
  expect(withResourceVersion('{"metadata":{}}', 7)).toBe('{"metadata":{"resourceVersion":"7"}}');
  expect(withResourceVersion('{"metadata":{"name":"a"}}', 7)).toBe('{"metadata":{"resourceVersion":"7","name":"a"}}');
});

test('the uid of an owner is not taken for the object’s own', () => {
  const value = '{"metadata":{"name":"a","ownerReferences":[{"uid":"o"}]}}';
  expect(JSON.parse(withResourceVersion(value, 7)).metadata).toEqual({ name: 'a', resourceVersion: '7', ownerReferences: [{ uid: 'o' }] });
});

test('a name that looks like a uid does not mislead it', () => {
  const value = JSON.stringify({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'uid', namespace: 'a', uid: 'u' },
    data: { uid: 'x' },
  });
  expect(new Entry('k', value, 9).object.metadata).toEqual({ name: 'uid', namespace: 'a', uid: 'u', resourceVersion: '9' });
});

test('keys stay sorted through any history of additions and removals', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '/'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 60 }), { maxLength: 6 }), (rounds) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      for (const round of rounds) {
        for (const [name, add] of round) {
          if (add === model.has(name)) continue;
          if (add) keys.add(name);
          else keys.remove(name);
          if (add) model.add(name);
          else model.delete(name);
        }
        expect(keys.all()).toEqual([...model].sort());
      }
      const [from, to] = prefixRange(keys.all(), 'a/');
      expect(keys.all().slice(from, to)).toEqual([...model].sort().filter((name) => name.startsWith('a/')));
    }),
  );
});
