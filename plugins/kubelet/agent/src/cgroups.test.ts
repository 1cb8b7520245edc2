import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@kubernel/sdk/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PodCgroups } from './cgroups.ts';

const pod = (requests: object, limits?: object): Pod =>
  ({ metadata: { uid: 'u' }, spec: { containers: [{ name: 'c', resources: { requests, limits } }] } }) as Pod;

describe("the cgroups of pods, in a directory that looks like the kernel's", () => {
  let mount: string;
  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'kubernel-cgroup-'));
  });
  afterEach(() => rmSync(mount, { recursive: true }));
  const made = (path: string) => mkdirSync(join(mount, path), { recursive: true });
  const read = (path: string) => readFileSync(join(mount, path), 'utf8');

  it('get shares and limits with cgroup v1, and are removed from every hierarchy', () => {
    for (const controller of ['cpu', 'memory', 'pids']) made(`${controller}/kubepods/burstable/podu`);
    const cgroups = new PodCgroups('/kubepods', mount);
    cgroups.limit(pod({ cpu: '500m' }, { cpu: '1', memory: '1Mi' }));
    expect(read('cpu/kubepods/burstable/podu/cpu.shares')).toBe('512');
    expect(read('cpu/kubepods/burstable/podu/cpu.cfs_quota_us')).toBe('100000');
    expect(read('memory/kubepods/burstable/podu/memory.limit_in_bytes')).toBe('1048576');
    cgroups.balance([pod({ cpu: '500m' }), pod({ cpu: '1500m' })]);
    expect(read('cpu/kubepods/burstable/cpu.shares')).toBe('2048');
    cgroups.remove(pod({ cpu: '500m' }));
    expect(existsSync(join(mount, 'pids/kubepods/burstable/podu'))).toBe(false);
  });

  it('get weights and limits with cgroup v2, and none where a container has none', () => {
    made('kubepods/burstable/podu');
    writeFileSync(join(mount, 'cgroup.controllers'), 'cpu memory');
    new PodCgroups('/kubepods', mount).limit(pod({ cpu: '1' }, { memory: '1Mi' }));
    expect(read('kubepods/burstable/podu/cpu.weight')).toBe('39');
    expect(read('kubepods/burstable/podu/memory.max')).toBe('1048576');
    expect(existsSync(join(mount, 'kubepods/burstable/podu/cpu.max'))).toBe(false);
  });
});
