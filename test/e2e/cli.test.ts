import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'kernel', 'dist', 'cli', 'main.js');

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubernel-cli-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function kubernel(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: dir, encoding: 'utf8', timeout: 60_000 });
  return { code: status, stdout, stderr };
}

describe('the command line', () => {
  it.each(['up', 'down', 'status', 'doctor', 'kubeconfig', 'image load', 'image build', 'snapshot save', 'snapshot restore', 'plugin ls'])(
    '%s --help gives an example',
    (command) => {
      const { code, stdout } = kubernel(...command.split(' '), '--help');
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples?:\n {2}\S/);
    },
  );

  it('tells wrong usage (2), no cluster (3) and failure (1) apart by exit code, each with a next step', () => {
    expect(kubernel('frob')).toMatchObject({ code: 2, stderr: expect.stringContaining('--help') });
    expect(kubernel('up', '--config', 'none.yaml')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/ERR_CONFIG_INVALID[\s\S]*next: /),
    });
    for (const command of ['status', 'down', 'kubeconfig'])
      expect(kubernel(command)).toMatchObject({ code: 3, stderr: expect.stringMatching(/ERR_NOT_RUNNING[\s\S]*next: /) });
    expect(kubernel('image', 'build', dir, '--tag', 'x:1')).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_IMAGE_SOURCE') });
  });

  it('prints JSON for scripts', () => {
    expect(JSON.parse(kubernel('version', '--output', 'json').stdout)).toMatchObject({ kubernetes: 'v1.36' });
    const plugins = JSON.parse(kubernel('plugin', 'ls', '--output', 'json').stdout) as { id: string }[];
    expect(plugins.map((plugin) => plugin.id)).toContain('storage/sqlite');
    expect(JSON.parse(kubernel('doctor', '--output', 'json').stdout)).toHaveProperty('canRunContainers');
  });

  it('packs a folder as an image archive, the same each time', async () => {
    const source = join(dir, 'app');
    spawnSync('mkdir', ['-p', join(source, 'rootfs', 'bin')]);
    await writeFile(join(source, 'rootfs', 'bin', 'app'), '#!/bin/sh\necho hi\n', { mode: 0o755 });
    await writeFile(join(source, 'image.json'), '{"entrypoint": ["/bin/app"]}');
    const [one, two] = ['one.tar', 'two.tar'].map(
      (file) => kubernel('image', 'build', source, '--tag', 'local/app:1', '--file', join(dir, file)).stdout,
    );
    expect(one).toMatch(/local\/app:1.*sha256:[0-9a-f]{64}/);
    expect(two?.split('sha256:')[1]).toBe(one?.split('sha256:')[1]);
    expect(await readFile(join(dir, 'one.tar'))).toEqual(await readFile(join(dir, 'two.tar')));
  });

  it('names a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { code, stderr } = kubernel(
      'up',
      '--config',
      join(ROOT, 'config', 'golden.yaml'),
      '--data-dir',
      join(dir, 'taken'),
      '--port',
      String(port),
    );
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`${port}.*taken`));
  });

  it('starts in the background, answers, and leaves no process and no socket when it is stopped', async () => {
    const data = join(dir, 'background');
    const started = kubernel('up', '--config', join(ROOT, 'config', 'golden.yaml'), '--data-dir', data, '--port', '0', '--detach');
    expect(started).toMatchObject({ code: 0, stdout: expect.stringContaining(`export KUBECONFIG=${join(data, 'kubeconfig')}`) });
    const status = JSON.parse(kubernel('status', '--data-dir', data, '--output', 'json').stdout) as {
      pid: number;
      plugins: { state: string }[];
    };
    expect(status.plugins.every((plugin) => plugin.state === 'Running')).toBe(true);
    expect(kubernel('up', '--data-dir', data)).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_DATA_DIR_IN_USE') });
    expect(kubernel('kubeconfig', '--data-dir', data, '--path').stdout.trim()).toBe(join(data, 'kubeconfig'));
    expect(kubernel('down', '--data-dir', data)).toMatchObject({ code: 0 });
    await expect(stat(join(data, 'kernel.sock'))).rejects.toThrow();
    await expect.poll(() => isAlive(status.pid), { timeout: 10_000 }).toBe(false);
  });

  it('stops everything on Ctrl-C', async () => {
    const child = spawn(
      process.execPath,
      [MAIN, 'up', '--config', join(ROOT, 'config', 'golden.yaml'), '--data-dir', join(dir, 'ctrl-c'), '--port', '0'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await expect.poll(() => output, { timeout: 30_000 }).toContain('export KUBECONFIG=');
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(output).toContain('Stopped.');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
