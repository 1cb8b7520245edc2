// npm run dev: for working on the project itself. Compiles on every save and starts a cluster that follows.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, node, root } from './bootstrap.mjs';

install();
build();
// What is compiled, not the sources: a save counts once the compiler is through with it.
const plugins = readdirSync(join(root, 'plugins')).flatMap((role) =>
  readdirSync(join(root, 'plugins', role)).map((name) => join('plugins', role, name)),
);
const watched = ['kernel', 'sdk', ...plugins].flatMap((dir) => ['--watch-path', join(root, dir, 'dist')]);
const compiler = spawn(node(), [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--watch', '--preserveWatchOutput'], {
  cwd: root,
  stdio: 'inherit',
});
const main = join(root, 'kernel', 'dist', 'cli', 'main.js');
const cluster = spawn(
  node(),
  [...watched, '--watch-preserve-output', main, 'up', '--config', join(root, 'config', 'dev.yaml'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
const stop = () => {
  compiler.kill();
  cluster.kill('SIGTERM');
};
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
cluster.on('exit', (code) => {
  compiler.kill();
  process.exit(code ?? 0);
});
