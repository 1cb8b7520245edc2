import { describe, expect, it } from 'vitest';
import { taskEvent } from './events.ts';
import { normalizeImageName } from './image-name.ts';
import { chooseOciRuntime, containerdToml, hostsToml, layout } from './settings.ts';

const MACHINE = { hybridCgroups: false, capSysResource: true, apparmor: true };

describe('what containerd is told', () => {
  it('keeps its socket short enough for a unix address, however deep the data directory is', () => {
    expect(layout('/data/plugins/cri/containerd').socket).toBe('/data/plugins/cri/containerd/containerd.sock');
    const deep = layout(`/${'very-long-directory/'.repeat(10)}plugins/cri/containerd`).socket;
    expect(deep).toMatch(/^\/run\/kubernel\/[0-9a-f]{12}\/containerd\.sock$/);
  });

  it('does without what the machine lacks', () => {
    const input = {
      layout: layout('/data'),
      config: {},
      ociRuntime: '/usr/sbin/runc',
      cni: { confDir: '/c', binDir: '/b' },
      pauseImage: 'pause:1',
    };
    expect(containerdToml({ ...input, machine: MACHINE })).toMatch(/restrict_oom_score_adj = false\n.*disable_apparmor = false/);
    const poor = { hybridCgroups: true, capSysResource: false, apparmor: false };
    expect(containerdToml({ ...input, machine: poor })).toMatch(/restrict_oom_score_adj = true\n.*disable_apparmor = true/);
  });

  it('takes crun where it can run, and what the config names in any case', () => {
    const all = (name: string) => `/usr/bin/${name}`;
    expect(chooseOciRuntime({}, MACHINE, all)).toBe('/usr/bin/crun');
    expect(chooseOciRuntime({}, { ...MACHINE, hybridCgroups: true }, all)).toBe('/usr/bin/runc');
    expect(chooseOciRuntime({ ociRuntime: 'youki' }, MACHINE, all)).toBe('/usr/bin/youki');
    expect(chooseOciRuntime({}, MACHINE, () => undefined)).toBeUndefined();
  });

  it('writes mirrors as certs.d files', () => {
    expect(hostsToml('docker.io', [{ url: 'http://127.0.0.1:5000', skipVerify: true }])).toBe(
      'server = "https://registry-1.docker.io"\n\n[host."http://127.0.0.1:5000"]\n  capabilities = ["pull", "resolve"]\n  skip_verify = true\n',
    );
  });
});

describe('image names', () => {
  it.each([
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['registry.example:5000/a/b:c', 'registry.example:5000/a/b:c'],
    ['ghcr.io/a/b@sha256:00', 'ghcr.io/a/b@sha256:00'],
  ])('%s is %s', (name, full) => expect(normalizeImageName(name)).toBe(full));
});

describe('task events', () => {
  const string = (field: number, text: string) => Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)]);

  it('name the container, and the exec when it is one that ended', () => {
    expect(taskEvent(Buffer.concat([string(1, 'abc'), string(2, 'abc'), Buffer.from([0x18, 5])]))).toEqual({
      containerId: 'abc',
      id: 'abc',
    });
    expect(taskEvent(Buffer.concat([string(1, 'abc'), string(2, 'exec-1')]))).toEqual({ containerId: 'abc', id: 'exec-1' });
    expect(taskEvent(Buffer.concat([string(1, 'abc'), Buffer.from([0x10, 42])]))).toEqual({ containerId: 'abc', id: '' });
    expect(taskEvent(Buffer.concat([string(1, 'abc'), string(2, '/run/bundle')]))).toEqual({ containerId: 'abc', id: '' });
  });
});
