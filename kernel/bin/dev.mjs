// npm run dev: for working on the project itself. Compiles on every save and starts a cluster that follows.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './bootstrap.mjs';

install();
build();
const compiler = spawn(node(), [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--watch', '--preserveWatchOutput'], {
  cwd: root,
  stdio: 'inherit',
});
const cluster = spawn(
  node(),
  [
    '--watch-path',
    join(root, 'kernel', 'dist'),
    '--watch-path',
    join(root, 'sdk', 'dist'),
    '--watch-path',
    join(root, 'plugins'),
    '--watch-preserve-output',
    join(root, 'kernel', 'dist', 'cli', 'main.js'),
    'up',
    '--config',
    join(root, 'config', 'dev.yaml'),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
const stop = () => {
  compiler.kill();
  cluster.kill('SIGTERM');
};
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
cluster.on('exit', (code) => (compiler.kill(), process.exit(code ?? 0)));
