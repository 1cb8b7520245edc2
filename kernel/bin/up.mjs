// npm run up: installs npm packages, builds when needed, starts the cluster. All options go to `kernel up`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './bootstrap.mjs';

install();
build();
const main = join(root, 'kernel', 'dist', 'cli', 'main.js');
// npm runs scripts in the checkout; paths on the command line are meant from where the person stands.
const child = spawn(node(), [main, 'up', ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: 'inherit',
  // glibc would keep a heap for each of a dozen threads, 4 MiB in all. It reads this before the first line of ours.
  env: { MALLOC_ARENA_MAX: '2', ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
