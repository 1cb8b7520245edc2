// npm test: installs what the tests need, builds, and runs every check. Ends with a line "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, node, root } from '../kernel/bin/bootstrap.mjs';
import { clients } from './clients.mjs';
import { installDebianPackages } from './debian-packages.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` };
let passed = 0;
let failed = 0;
let skipped = 0;

function step(name, command, args) {
  const started = Date.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (status === 0) passed++;
  else failed++;
  console.log(`== ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  return status === 0;
}

function suite(project) {
  const dir = mkdtempSync(join(tmpdir(), 'kubernel-test-'));
  const report = join(dir, 'report.json');
  console.log(`\n== ${project} tests`);
  const { status } = spawnSync(
    bin('vitest'),
    ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { cwd: root, stdio: 'inherit', env },
  );
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
    passed += numPassedTests;
    failed += numFailedTests;
    skipped += numPendingTests + (numTodoTests ?? 0);
    // A file that cannot be loaded, or an error outside a test, fails the run without failing a test.
    if (status !== 0 && numFailedTests === 0) failed++;
  } catch {
    failed++;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

install();
installDebianPackages();
// Once, before many test files ask for them at the same time.
clients();
const built = step('build and types', node(), [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
step('lint and format', bin('biome'), ['check', '--error-on-warnings']);
step('unused code and dependencies', bin('knip'), []);
if (built) {
  suite('unit');
  suite('e2e');
}
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
