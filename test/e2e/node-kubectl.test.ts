import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients } from '../clients.mjs';
import { buildImages } from '../fixtures/images/build.ts';
import { realNodeMissing } from './node-machine.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KUBERNEL = join(ROOT, 'kernel/dist/cli/main.js');
const kubectlPath = clients().kubectl;
const missing = realNodeMissing() ?? (kubectlPath ? undefined : 'needs kubectl');

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

describe.skipIf(missing)(`a whole cluster with one real node, used with kubectl${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'kubernel-kubectl-'));
  const dataDir = join(dir, 'data');
  const config = join(dir, 'cluster.yaml');
  let kernel: ChildProcess;

  const run = (file: string, args: string[], input = '', env = {}): Promise<Output> =>
    new Promise((resolve) => {
      const options = {
        env: { ...process.env, KUBECONFIG: join(dataDir, 'kubeconfig'), ...env },
        timeout: 20_000,
        encoding: 'utf8' as const,
      };
      const child = execFile(file, args, options, (error, stdout, stderr) =>
        resolve({ code: error ? ((error.code as number | undefined) ?? -1) : 0, stdout, stderr }),
      );
      child.stdin?.end(input);
    });
  const kubectl = (...args: string[]) => run(kubectlPath!, args);
  const up = async () => {
    const log = join(dir, `up-${Date.now()}.log`);
    kernel = spawn(
      'sh',
      ['-c', `exec "${process.execPath}" "${KUBERNEL}" up --config "${config}" --data-dir "${dataDir}" --port 0 > "${log}" 2>&1`],
      { stdio: 'ignore' },
    );
    await until(
      60_000,
      async () => existsSync(log) && readFileSync(log, 'utf8').includes('export KUBECONFIG'),
      () => readFileSync(log, 'utf8'),
    );
    await until(
      30_000,
      async () => (await kubectl('get', 'nodes')).stdout.includes(' Ready '),
      () => readFileSync(log, 'utf8'),
    );
  };
  /** Outside a test there is no poll. */
  const until = async (ms: number, done: () => Promise<boolean>, why: () => string) => {
    for (const end = Date.now() + ms; !(await done()); await sleep(100)) if (Date.now() > end) throw new Error(why());
  };
  const ended = (child: ChildProcess) =>
    new Promise<void>((resolve) => (child.exitCode !== null || child.signalCode ? resolve() : child.once('exit', () => resolve())));
  const apply = async (...objects: object[]) => {
    const file = join(dir, 'objects.json');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    expect(await kubectl('apply', '--validate=false', '-f', file)).toMatchObject({ code: 0 });
  };

  beforeAll(async () => {
    writeFileSync(
      config,
      readFileSync(join(ROOT, 'config/standalone.yaml'), 'utf8')
        .replace(/kubelet\/agent: \{.*/, 'kubelet/agent: { isolate: node, config: { port: 0, nodeName: real } }')
        .replace(/cni\/exec: \{.*/, 'cni/exec: { isolate: node, config: { bridge: kubetest2 } }')
        .replace(/^spec:$/m, 'spec:\n  cluster: { podCIDRs: [10.201.0.0/16] }'),
    );
    await up();
    for (const file of buildImages(['busybox', 'web'], join(tmpdir(), 'kubernel-test-images'))) {
      expect(await run(process.execPath, [KUBERNEL, 'image', 'load', file, '--data-dir', dataDir])).toMatchObject({ code: 0 });
    }
    await apply(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'box', namespace: 'default' },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: 'kubernel.local/busybox:1',
              command: ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; cat'],
              stdin: true,
            },
          ],
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'default' },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'kubernel.local/web:1' }] },
      },
    );
    expect(await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=20s')).toMatchObject({ code: 0 });
  }, 180_000);

  afterAll(async () => {
    kernel.kill('SIGTERM');
    await ended(kernel);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(dataDir);
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it('shows logs: all, the last lines, with times, of a container that does not run', async () => {
    expect((await kubectl('logs', 'box')).stdout).toBe('line 1\nline 2\nline 3\n');
    expect((await kubectl('logs', 'box', '--tail=1')).stdout).toBe('line 3\n');
    expect((await kubectl('logs', 'box', '--limit-bytes=8')).stdout).toBe('line 1\nl');
    expect((await kubectl('logs', 'box', '--timestamps', '--tail=1')).stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z line 3\n$/);
    expect((await kubectl('logs', 'box', '--previous')).stderr).toContain('previous terminated container "main" in pod "box" not found');
  }, 30_000);

  it('follows a log as it grows', async () => {
    const follow = spawn(kubectlPath!, ['logs', '-f', 'box'], { env: { ...process.env, KUBECONFIG: join(dataDir, 'kubeconfig') } });
    let text = '';
    follow.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await expect.poll(() => text, { timeout: 5_000 }).toContain('line 3');
    await kubectl('exec', 'box', '--', 'sh', '-c', 'echo more > /proc/1/fd/1');
    await expect.poll(() => text, { timeout: 5_000 }).toContain('more');
    follow.kill();
    await ended(follow);
  }, 30_000);

  for (const [protocol, env] of [
    ['WebSocket', {}],
    ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' }],
  ] as const) {
    it(`runs commands by ${protocol}: output, errors, exit code, input to its end`, async () => {
      const exec = (input: string, ...args: string[]) => run(kubectlPath!, ['exec', '-i', 'box', '--', ...args], input, env);
      expect(await exec('', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toMatchObject({
        code: 7,
        stdout: 'out\n',
        stderr: expect.stringContaining('err\n'),
      });
      expect((await exec('some input', 'cat')).stdout).toBe('some input');
      const large = 'x'.repeat(2_000_000);
      expect((await exec(large, 'wc', '-c')).stdout.trim()).toBe('2000000');
      expect((await exec('', 'no-such-command')).code).not.toBe(0);
    }, 30_000);
  }

  it('copies files into a container and out of it', async () => {
    const [there, back] = [join(dir, 'there'), join(dir, 'back')];
    writeFileSync(there, Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) & 255)));
    expect(await kubectl('cp', there, 'box:/tmp/copy')).toMatchObject({ code: 0 });
    expect(await kubectl('cp', 'box:/tmp/copy', back)).toMatchObject({ code: 0 });
    expect(readFileSync(back).equals(readFileSync(there))).toBe(true);
  }, 30_000);

  for (const [protocol, env] of [
    ['WebSocket', {}],
    ['SPDY', { KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
  ] as const) {
    it(`forwards a port by ${protocol}`, async () => {
      const forward = spawn(kubectlPath!, ['port-forward', 'pod/web', ':8080'], {
        env: { ...process.env, KUBECONFIG: join(dataDir, 'kubeconfig'), ...env },
      });
      let text = '';
      forward.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await expect.poll(() => text, { timeout: 5_000 }).toMatch(/127\.0\.0\.1:(\d+)/);
      const port = /127\.0\.0\.1:(\d+)/.exec(text)![1];
      for (let i = 0; i < 3; i++)
        expect(await (await fetch(`http://127.0.0.1:${port}/cgi-bin/hello`)).text()).toBe('hello from web version 1\n');
      forward.kill();
      await ended(forward);
    }, 30_000);
  }

  it('attaches to a running container', async () => {
    const attach = spawn(kubectlPath!, ['attach', '-i', 'box'], { env: { ...process.env, KUBECONFIG: join(dataDir, 'kubeconfig') } });
    let text = '';
    attach.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await sleep(700);
    attach.stdin.write('echoed\n');
    await expect.poll(() => text, { timeout: 5_000 }).toContain('echoed');
    attach.kill();
    await ended(attach);
  }, 30_000);

  it("lets nobody without the cluster's certificates use the kubelet API", async () => {
    const { stdout } = await kubectl(
      'get',
      'node',
      'real',
      '-o',
      'jsonpath={.status.addresses[0].address}:{.status.daemonEndpoints.kubeletEndpoint.Port}',
    );
    const curl = await run('curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code}', `https://${stdout}/pods`]);
    expect(curl.stdout).toBe('401');
    expect((await kubectl('get', '--raw', '/api/v1/nodes/real/proxy/pods')).stdout).toContain('"kind":"PodList"');
  }, 30_000);

  it('finds every container running, and none restarted, after kill -9 of the kernel', async () => {
    const ids = async () =>
      (
        await kubectl(
          'get',
          'pods',
          '-o',
          'jsonpath={range .items[*]}{.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount} {.status.podIP}{"\\n"}{end}',
        )
      ).stdout;
    const before = await ids();
    kernel.kill('SIGKILL');
    await ended(kernel);
    await up();
    expect(await ids()).toBe(before);
    expect((await kubectl('exec', 'web', '--', 'cat', '/version')).stdout).toBe('1\n');
  }, 90_000);

  it('deletes pods within their grace period', async () => {
    expect(await kubectl('delete', 'pod', '--all', '--timeout=15s')).toMatchObject({ code: 0 });
  }, 30_000);
});
