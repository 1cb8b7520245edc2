/**
 * An embedded control plane, as docs/embed.md shows it: `npm run bench -- embed [--quick]`. Each start is a process of its own,
 * since a second kernel in the same process has its modules loaded already.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { median, type Row, report } from './report.ts';

const ROUNDS = process.argv.includes('--quick') ? 3 : 9;
const KERNEL = join(import.meta.dirname, '..', '..', 'kernel', 'dist', 'index.js');
const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.kubernel', 'embed-bench-cache');

const PROGRAM = `
const { mkdtempSync, rmSync } = await import('node:fs');
const { tmpdir } = await import('node:os');
const { createKernel } = await import(${JSON.stringify(KERNEL)});
const inline = { isolate: 'inline' };
const plugins = { 'storage/memory': inline, 'apiserver/server': { ...inline, config: { listen: false } }, 'api/core': {}, 'authz/masters': {} };
const start = async () => {
  const dataDir = mkdtempSync(tmpdir() + '/kubernel-bench-');
  const began = performance.now();
  const kernel = await createKernel({
    dataDir,
    config: { apiVersion: 'kernel.dev/v1alpha1', kind: 'Cluster', metadata: { name: 'embedded' }, spec: { plugins } },
  });
  const tookMs = performance.now() - began;
  await kernel.stop();
  rmSync(dataDir, { recursive: true });
  return tookMs;
};
const first = await start();
const second = await start();
process.stdout.write(JSON.stringify({ first, second }));
`;

function once(env: NodeJS.ProcessEnv): { first: number; second: number } {
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env: { ...process.env, ...env } });
  return JSON.parse(output.toString()) as { first: number; second: number };
}

const rows: Row[] = [];
const add = (what: string, values: number[], target?: string): void =>
  void rows.push({
    what,
    unit: 'ms',
    value: median(values),
    range: [Math.min(...values), Math.max(...values)],
    runs: values.length,
    ...(target ? { target } : {}),
  });

once({ NODE_COMPILE_CACHE: CACHE });
const plain: number[] = [];
const cached: number[] = [];
const again: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  plain.push(once({}).first);
  const { first, second } = once({ NODE_COMPILE_CACHE: CACHE });
  cached.push(first);
  again.push(second);
}
add('createKernel, first in its process', plain);
add('the same with a compile cache', cached, '<= 100');
add('createKernel, second in its process', again);
report('embed', rows);
