import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import cniExec from '@kubernel/cni-exec';
import criContainerd, { type ContainerdConfig } from '@kubernel/cri-containerd';
import type { ContainerConfig, CriRuntime, PodSandboxConfig } from '@kubernel/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImages } from '../fixtures/images/build.ts';
import { type StartedPlugin, startPlugin } from './node-context.ts';
import { realNodeMissing } from './node-machine.ts';
import { serveImage } from './node-registry.ts';

const missing = realNodeMissing();

describe.skipIf(missing)(`cri/containerd with a real containerd${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const base = mkdtempSync(join(tmpdir(), 'kubernel-cri-'));
  // Longer than a unix socket's path may be.
  const dataDir = join(base, 'a-directory-with-a-name-so-long', 'that-no-socket-fits', 'anywhere-below-it');
  const logs = join(dataDir, 'logs');
  let cni: StartedPlugin<'cni/v1'>;
  let plugin: StartedPlugin<'cri/v1'>;
  let cri: CriRuntime;

  const start = async (config: ContainerdConfig = {}) => {
    plugin = await startPlugin(criContainerd, config, { dataDir, roles: { 'cni/v1': cni.instance } });
    cri = plugin.instance;
  };

  beforeAll(async () => {
    cni = await startPlugin(cniExec, { bridge: 'kubetest0' }, { dataDir });
    await cni.instance.configure({ podCIDRs: ['10.199.7.0/24'] });
    await start();
  }, 60_000);

  afterAll(async () => {
    await cri.shutdown?.();
    await plugin.stop();
    await cni.stop();
    expect(execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' })).not.toContain('kubetest0');
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(dataDir);
    rmSync(base, { recursive: true, force: true });
    const pluginDir = join(dataDir, 'plugins/cri/containerd');
    expect(existsSync(`/run/kubernel/${createHash('sha256').update(pluginDir).digest('hex').slice(0, 12)}`)).toBe(false);
  }, 60_000);

  const sandbox = (name: string): PodSandboxConfig => ({
    metadata: { name, uid: `uid-${name}`, namespace: 'default', attempt: 0 },
    hostname: name,
    logDirectory: join(logs, name),
    labels: { app: name },
    annotations: {},
    linux: { cgroupParent: '', securityContext: { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } } },
  });
  const container = (name: string, command: string[]): ContainerConfig => ({
    metadata: { name, attempt: 0 },
    image: { image: 'kubernel.local/busybox:1' },
    command,
    args: [],
    workingDir: '',
    envs: [{ key: 'GREETING', value: 'grüezi' }],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: `${name}.log`,
    linux: { resources: {}, securityContext: { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } } },
  });
  const exited = async (containerId: string) => {
    for (;;) {
      const status = await cri.containerStatus({ containerId });
      if (status.state === 'CONTAINER_EXITED') return status;
      await sleep(20);
    }
  };

  it('loads an image archive and lists it under its full name', async () => {
    const [file] = buildImages(['busybox'], join(tmpdir(), 'kubernel-test-images'));
    expect(await cri.importImage?.({ file: file! })).toEqual({ images: ['kubernel.local/busybox:1'] });
    const image = (await cri.listImages()).find(({ repoTags }) => repoTags.includes('kubernel.local/busybox:1'));
    expect(image?.id).toMatch(/^sha256:/);
  }, 60_000);

  it('says what is wrong with a file that is no image archive', async () => {
    await expect(cri.importImage?.({ file: '/etc/passwd' })).rejects.toMatchObject({ code: 'ERR_IMAGE_ARCHIVE' });
    await expect(cri.importImage?.({ file: '/no/such/file' })).rejects.toMatchObject({ code: 'ERR_IMAGE_ARCHIVE' });
  });

  it('pulls from a mirror of a registry, and asks the registry itself for what the mirror does not have', async () => {
    const registry = await serveImage('team/app', '1', buildImages(['web'], join(tmpdir(), 'kubernel-test-images'))[0]!);
    await plugin.stop();
    await start({ registries: { 'registry.example': { mirrors: [{ url: `http://127.0.0.1:${registry.port}` }] } } });
    expect(await cri.imageStatus({ image: { image: 'registry.example/team/app:1' } })).toBeNull();
    const { imageRef } = await cri.pullImage({ image: { image: 'registry.example/team/app:1' } });
    expect((await cri.imageStatus({ image: { image: 'registry.example/team/app:1' } }))?.id).toBe(imageRef);
    await expect(cri.pullImage({ image: { image: 'registry.example/team/app:2' } })).rejects.toThrow(
      'registry.example/v2/team/app/manifests/2',
    );
    await cri.removeImage({ image: { image: 'registry.example/team/app:1' } });
    registry.close();
  }, 60_000);

  it('runs a container in a sandbox with an address, keeps its log and its exit code', async () => {
    const config = sandbox('one');
    const { podSandboxId } = await cri.runPodSandbox({ config });
    const status = await cri.podSandboxStatus({ podSandboxId });
    expect(status.state).toBe('SANDBOX_READY');
    expect(status.network?.ip).toMatch(/^10\.199\.7\./);
    const { containerId } = await cri.createContainer({
      podSandboxId,
      config: container('main', ['sh', '-c', 'echo $GREETING; echo oops >&2; exit 7']),
      sandboxConfig: config,
    });
    await cri.startContainer({ containerId });
    expect(await exited(containerId)).toMatchObject({ exitCode: 7, reason: 'Error', logPath: join(logs, 'one', 'main.log') });
    const log = readFileSync(join(logs, 'one', 'main.log'), 'utf8');
    expect(log).toMatch(/stdout F grüezi\n/);
    expect(log).toMatch(/stderr F oops\n/);
    await cri.stopPodSandbox({ podSandboxId });
    await cri.removePodSandbox({ podSandboxId });
    await expect(cri.containerStatus({ containerId })).rejects.toMatchObject({ code: 'ERR_CRI_NOT_FOUND' });
  }, 60_000);

  it('tells of starts and ends as they happen, and keeps a container running while the plugin is replaced', async () => {
    const config = sandbox('two');
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of cri.events()) seen.push(`${event.type} ${event.containerId}`);
    })().catch(() => {});
    await sleep(200);
    const { podSandboxId } = await cri.runPodSandbox({ config });
    const { containerId } = await cri.createContainer({
      podSandboxId,
      config: container('main', ['sleep', '1000']),
      sandboxConfig: config,
    });
    await cri.startContainer({ containerId });
    await expect.poll(() => seen).toContain(`CONTAINER_STARTED_EVENT ${containerId}`);
    const before = await cri.containerStatus({ containerId });
    const pid = readFileSync(join(dataDir, 'plugins/cri/containerd/containerd.pid'), 'utf8');

    await plugin.stop();
    await watching;
    await start();
    expect(readFileSync(join(dataDir, 'plugins/cri/containerd/containerd.pid'), 'utf8')).toBe(pid);
    expect(await cri.containerStatus({ containerId })).toMatchObject({ state: 'CONTAINER_RUNNING', startedAt: before.startedAt });
    expect(await cri.execSync({ containerId, cmd: ['echo', 'still here'], timeout: 5 })).toEqual({
      stdout: 'still here\n',
      stderr: '',
      exitCode: 0,
    });
    await expect(cri.execSync({ containerId, cmd: ['sleep', '10'], timeout: 1 })).rejects.toMatchObject({ code: 'ERR_CRI_TIMEOUT' });
  }, 60_000);

  it('starts containerd again when it is killed, and the containers did not notice', async () => {
    const { id: containerId, createdAt } = (await cri.listContainers())[0]!;
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'plugins/cri/containerd/containerd.pid'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => cri.version().catch((error: { code: string }) => error.code)).toBe('ERR_CRI_UNAVAILABLE');
    await expect
      .poll(() => cri.containerStatus({ containerId }).catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({ state: 'CONTAINER_RUNNING', createdAt });
    expect(existsSync(`/proc/${pid}/cmdline`)).toBe(false);
  }, 60_000);
});
