// npm run bench [-- NAME [options]]: without a name, all of them, one after the other.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, node, root } from '../../kernel/bin/bootstrap.mjs';

const DIR = join(root, 'test', 'perf');
const names = readdirSync(DIR)
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.slice(0, -'.bench.ts'.length));
const [wanted, ...options] = process.argv.slice(2);

if (wanted === '--help' || (wanted && !names.includes(wanted))) {
  console.log(`usage: npm run bench [-- NAME [options]]\nnames: ${names.join(' ')}`);
  process.exit(wanted === '--help' ? 0 : 2);
}
install();
build();
let failed = false;
for (const name of wanted ? [wanted] : names) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(node(), ['--disable-warning=ExperimentalWarning', join(DIR, `${name}.bench.ts`), ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
