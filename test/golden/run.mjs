// npm run golden -- DIR [options of the replayer]: starts config/golden.yaml and replays recorded API cases against it.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build, install, node, root } from '../../kernel/bin/bootstrap.mjs';

const [folder, ...options] = process.argv.slice(2);
if (!folder || folder === '--help') {
  console.log(
    'usage: npm run golden -- DIR [--filter REGEX] [--diff N] [--failed FILE] [-j N]\nDIR holds *.jsonl cases, and golden.mjs stands in it or above it',
  );
  process.exit(folder ? 0 : 2);
}
const cases = resolve(process.env.INIT_CWD ?? '.', folder);
const replayer = [cases, join(cases, '..')].map((dir) => join(dir, 'golden.mjs')).find(existsSync);
if (!replayer) {
  console.error(`error: no golden.mjs in ${cases} or above it`);
  process.exit(2);
}
install();
build();

const dir = mkdtempSync(join(tmpdir(), 'kubernel-golden-'));
const main = join(root, 'kernel', 'dist', 'cli', 'main.js');
let status = 1;
try {
  for (const [name, config, jobs] of [
    ['main', 'golden.yaml', '6'],
    ['admserial', 'golden.yaml', '1'],
    ['admownerref', 'golden-ownerref.yaml', '6'],
  ]) {
    const files = readdirSync(cases).filter(
      (file) => file.endsWith('.jsonl') && (name === 'main' ? !/^adm(serial|ownerref)/.test(file) : file.startsWith(name)),
    );
    if (files.length === 0) continue;
    status = await replay(
      config,
      files.map((file) => join(cases, file)),
      jobs,
      join(dir, name),
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit(status);

async function replay(config, files, jobs, dataDir) {
  const server = spawn(node(), [main, 'up', '--config', join(root, 'config', config), '--data-dir', dataDir, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  server.stdout.on('data', (chunk) => (output += chunk));
  while (!output.includes('export KUBECONFIG=')) {
    if (server.exitCode !== null) throw new Error(output);
    await new Promise((done) => setTimeout(done, 20));
  }
  try {
    const kubeconfig = createRequire(join(root, 'kernel', 'package.json'))('yaml').parse(readFileSync(join(dataDir, 'kubeconfig'), 'utf8'));
    const { cluster } = kubeconfig.clusters[0];
    const { user } = kubeconfig.users[0];
    for (const [name, data] of [
      ['ca', cluster['certificate-authority-data']],
      ['crt', user['client-certificate-data']],
      ['key', user['client-key-data']],
    ]) {
      writeFileSync(join(dataDir, `golden.${name}`), Buffer.from(data, 'base64'), { mode: 0o600 });
    }
    const args = [
      replayer,
      'replay',
      '--url',
      cluster.server,
      '--cert',
      join(dataDir, 'golden.crt'),
      '--key',
      join(dataDir, 'golden.key'),
      '--ca',
      join(dataDir, 'golden.ca'),
      '-j',
      jobs,
      ...options,
      ...files,
    ];
    return spawnSync(node(), args, { stdio: 'inherit', cwd: process.env.INIT_CWD ?? root }).status ?? 1;
  } finally {
    server.kill('SIGTERM');
    await new Promise((done) => server.on('exit', done));
  }
}
