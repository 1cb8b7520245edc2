import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conflist } from './conflist.ts';
import { add, del } from './invoke.ts';

describe('CNI plugins', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kubernel-cni-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** Notes what it was called with, and answers with a result. */
  const plugin = (name: string, answer: string, code = 0) => {
    writeFileSync(
      join(dir, name),
      `#!/bin/sh\necho "${name} $CNI_COMMAND $CNI_IFNAME $CNI_ARGS $(cat)" >> ${dir}/calls\ncat <<'E'\n${answer}\nE\nexit ${code}\n`,
    );
    chmodSync(join(dir, name), 0o755);
  };
  const calls = () => readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n');
  const list = () => conflist({ name: 'net', bridge: 'br0', podCIDRs: ['10.1.0.0/24', 'fd00::/64'], stateDir: '/s' });
  const request = {
    containerId: 'c1',
    netns: '/run/netns/x',
    args: { K8S_POD_NAME: 'web' },
    portMappings: [{ hostPort: 80, containerPort: 8080, protocol: 'tcp' }],
  };

  it('are run in order, each with the result of the one before, and undone in reverse', async () => {
    const result = '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.7/24"},{"address":"fd00::7/64"}]}';
    plugin('bridge', result);
    plugin('portmap', result);
    expect((await add(list(), dir, request)).ips).toEqual(['10.1.0.7', 'fd00::7']);
    await del(list(), dir, request);
    expect(calls().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'bridge ADD',
      'portmap ADD',
      'portmap DEL',
      'bridge DEL',
    ]);
    expect(calls()[0]).toContain('eth0 IgnoreUnknown=1;K8S_POD_NAME=web');
    expect(calls()[1]).toMatch(/"runtimeConfig":\{"portMappings":\[\{"hostPort":80.*"prevResult":\{/);
  });

  it('say what went wrong, and what was done is undone', async () => {
    plugin('bridge', '{}');
    plugin('portmap', '{"code":7,"msg":"no ports left","details":"really"}', 1);
    await expect(add(list(), dir, request)).rejects.toMatchObject({
      code: 'ERR_CNI',
      message: 'CNI ADD by portmap: no ports left: really',
    });
    expect(calls().filter((line) => line.includes(' DEL '))).toHaveLength(1);
  });

  it('have a route and a range for each address family', () => {
    const [bridge] = list().plugins;
    expect(bridge!.ipam).toMatchObject({
      ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
    });
  });
});
