import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';

const good = `apiVersion: kubernel.dev/v1alpha1
kind: Cluster
metadata:
  name: test
spec:
  plugins:
    storage/memory:
    api/core: { isolate: inline }
`;

async function problem(text: string): Promise<string> {
  return parseConfig(text, 'c.yaml').then(
    () => 'accepted',
    (error: Error) => error.message,
  );
}

describe('a config file', () => {
  it('is completed with the defaults clients know', async () => {
    const config = await parseConfig(good, 'c.yaml');
    expect(config).toMatchObject({
      name: 'test',
      cluster: { clusterDomain: 'cluster.local', serviceCIDRs: ['10.96.0.0/16'], nodePortRange: [30000, 32767] },
      store: { historyMs: 300_000 },
      election: { leaseSeconds: 15, renewSeconds: 10, retrySeconds: 2 },
    });
    expect(config.plugins['storage/memory']).toEqual({ version: '*', enabled: true, config: {} });
    expect(config.plugins['api/core']?.isolate).toBe('inline');
  });

  it.each([
    ['an unknown field', good.replace('isolate: inline', 'isolat: inline'), 'c.yaml:8: spec.plugins.api/core has no field "isolat"'],
    ['a wrong kind', good.replace('Cluster', 'Cloister'), 'c.yaml:2: kind must be "Cluster"'],
    ['a missing field', good.replace('  name: test\n', '  labels: {}\n'), 'c.yaml:3: metadata needs the field "name"'],
    ['a key that is no plugin', good.replace('api/core', 'API'), 'c.yaml:8:'],
    ['a key given twice', `${good}    storage/memory: {}\n`, 'c.yaml:9: Map keys must be unique'],
    ['broken YAML', good.replace('spec:', 'spec'), 'c.yaml:'],
    ['nothing', '', 'c.yaml:1: the document must be object'],
    ['a list', '- a\n', 'c.yaml:1: the document must be object'],
  ])('with %s is refused with file and line', async (_what, text, expected) => {
    expect(await problem(text)).toContain(expected);
  });

  it('that grows without bound when its aliases are expanded is refused', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`)
      .join('\n')}\n`;
    expect(await problem(bomb)).toMatch(/alias/i);
  });
});
