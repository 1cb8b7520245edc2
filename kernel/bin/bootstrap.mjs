// What a fresh checkout needs before anything of it can run: dependencies and a build. Plain JavaScript for any Node >= 20,
// because nothing is installed yet when it starts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const bin = join(root, 'node_modules', '.bin');
const state = join(root, 'node_modules', '.kubernel');

/** Runs a command in the checkout; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) fail(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}

export function fail(message, next) {
  process.stderr.write(`error: ${message}\n${next ? `  next: ${next}\n` : ''}`);
  process.exit(1);
}

/** The pinned Node from node_modules, which everything but this file runs on. */
export const node = () => join(bin, 'node');

/**
 * Installs what the lock file says, when it is not the one that was installed last. Not `npm ci`: that refuses a lock file which
 * lacks the optional packages of other platforms, and some registries do not carry those.
 */
export function install() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(node()) && read('installed') === wanted) return;
  console.log('Installing npm packages (pinned by package-lock.json) ...');
  run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error']);
  ensureNode();
  note('installed', wanted);
}

/**
 * The `node` package puts its binary in place with an install script, which npm may be configured not to run.
 * Its platform package is installed all the same, so the link is all that is missing.
 */
function ensureNode() {
  if (spawnSync(node(), ['--version']).status === 0) return;
  run(process.execPath, [join(root, 'node_modules', 'node', 'installArchSpecificPackage.js')], {
    cwd: join(root, 'node_modules', 'node'),
    stdio: 'ignore',
  });
  if (spawnSync(node(), ['--version']).status !== 0) fail('the pinned Node is not installed', 'run: npm rebuild node');
}

/** Compiles when a source is newer than the last build. */
export function build() {
  const newest = newestSource();
  if (existsSync(join(root, 'kernel', 'dist', 'cli', 'main.js')) && Number(read('built') ?? 0) >= newest) return;
  console.log('Building ...');
  const started = Date.now();
  run(node(), [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  note('built', String(newest));
  console.log(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

function newestSource() {
  let newest = 0;
  const visit = (path) => {
    const stat = statSync(path);
    if (!stat.isDirectory()) {
      newest = Math.max(newest, stat.mtimeMs);
      return;
    }
    for (const name of readdirSync(path)) if (name !== 'dist' && name !== 'node_modules') visit(join(path, name));
  };
  for (const path of ['sdk', 'kernel', 'plugins', 'tsconfig.json', 'tsconfig.base.json']) visit(join(root, path));
  return newest;
}

function read(name) {
  const file = join(state, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function note(name, value) {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, name), value);
}
