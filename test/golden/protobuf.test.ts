import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SchemaCodec } from '../../plugins/apiserver/server/src/schema/index.ts';
import { allGroups } from './corpus.ts';

const SAMPLES = fileURLToPath(new URL('../../../shared/testdata/api-1.36/', import.meta.url));
const codec = new SchemaCodec(allGroups);

/** `apps.v1.Deployment.json` -> what it is, if a loaded group serves it. */
const served = (existsSync(SAMPLES) ? readdirSync(SAMPLES) : [])
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) => {
    const object = JSON.parse(readFileSync(SAMPLES + file, 'utf8'));
    const definition = allGroups
      .flatMap(({ resources }) => resources)
      .find((item) => item.kind === object.kind && (item.group ? `${item.group}/${item.version}` : item.version) === object.apiVersion);
    return definition ? [{ name: file.slice(0, -5), type: definition.type, object }] : [];
  });

describe.skipIf(!existsSync(SAMPLES))('protobuf, against upstream’s samples (skipped: ../shared/testdata is not there)', () => {
  test.each(served)('$name is written and read as upstream does', ({ name, type, object }) => {
    const expected = readFileSync(`${SAMPLES}${name}.pb`);
    const target = { type, kind: object.kind, apiVersion: object.apiVersion };
    const bytes = codec.encodeProtobuf(target, JSON.stringify(object));
    expect(Buffer.from(bytes ?? []).toString('latin1')).toBe(expected.toString('latin1'));
    expect(codec.decodeProtobuf(target, expected).object).toEqual(object);
    // and in Go's order
    expect(JSON.stringify(codec.normalize(type, object))).toBe(JSON.stringify(object));
  });

  test('aggregated discovery is written as upstream’s sample', () => {
    const object = JSON.parse(readFileSync(`${SAMPLES}apidiscovery.k8s.io.v2.APIGroupDiscovery.json`, 'utf8'));
    const target = { type: 'apidiscovery.v2.APIGroupDiscovery', kind: object.kind, apiVersion: object.apiVersion };
    const expected = readFileSync(`${SAMPLES}apidiscovery.k8s.io.v2.APIGroupDiscovery.pb`);
    expect(Buffer.from(codec.encodeProtobuf(target, JSON.stringify(object)) ?? []).equals(expected)).toBe(true);
  });

  test('options and statuses are written as upstream’s samples', () => {
    for (const kind of ['DeleteOptions', 'Status', 'APIGroup', 'APIVersions']) {
      const object = JSON.parse(readFileSync(`${SAMPLES}core.v1.${kind}.json`, 'utf8'));
      const target = { type: `meta.v1.${kind}`, kind, apiVersion: object.apiVersion };
      const expected = readFileSync(`${SAMPLES}core.v1.${kind}.pb`);
      expect([kind, Buffer.from(codec.encodeProtobuf(target, JSON.stringify(object)) ?? []).equals(expected)]).toEqual([kind, true]);
    }
  });

  test('bytes that are cut off, or that are no protobuf, are refused', () => {
    const target = { type: 'core.v1.Pod', kind: 'Pod', apiVersion: 'v1' };
    const whole = readFileSync(`${SAMPLES}core.v1.Pod.pb`);
    for (let length = 0; length < whole.length; length += 997) {
      try {
        codec.decodeProtobuf(target, whole.subarray(0, length));
      } catch (error) {
        expect(error).toMatchObject({ status: { code: 400, reason: 'BadRequest' } });
      }
    }
    expect(() => codec.decodeProtobuf(target, Buffer.from('{"kind":"Pod"}'))).toThrow(/does not appear to be a protobuf message/);
  });
});
