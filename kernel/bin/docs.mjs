// npm run docs: writes what is made from code: config/cluster.schema.json, the reference part of docs/compose.md, and
// docs/plugins.md. With --check it only says what is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_SCHEMA } from '../dist/config/schema.js';
import { root } from './bootstrap.mjs';

const check = process.argv.includes('--check');
const stale = [];

function write(path, text) {
  const file = join(root, path);
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // It is written for the first time.
  }
  if (current === text) return;
  stale.push(path);
  if (!check) writeFileSync(file, text);
}

write('config/cluster.schema.json', `${JSON.stringify(CLUSTER_SCHEMA, null, 2)}\n`);

/** Rows of `path | type | what` for every field below a schema. */
function fields(schema, path) {
  const rows = [];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    rows.push(...fieldRows(field, path ? `${path}.${name}` : name));
  }
  if (typeof schema.additionalProperties === 'object') rows.push(...fieldRows(schema.additionalProperties, `${path}.*`));
  return rows;
}

function fieldRows(field, path) {
  const type = field.const
    ? `\`${field.const}\``
    : field.enum
      ? field.enum.map((value) => `\`${value}\``).join(' ')
      : [field.type].flat().join(' or ');
  const row = `| \`${path}\` | ${type} | ${field.description ?? ''} |`;
  if (field.type === 'array') return [row];
  return [row, ...fields(field, path)];
}

const reference = ['| field | type | meaning |', '|---|---|---|', ...fields(CLUSTER_SCHEMA, '')].join('\n');
const compose = readFileSync(join(root, 'docs', 'compose.md'), 'utf8');
const [before] = compose.split('<!-- reference -->');
write('docs/compose.md', `${before}<!-- reference -->\n\n${reference}\n`);

const rows = [];
for (const role of readdirSync(join(root, 'plugins')).sort()) {
  for (const name of readdirSync(join(root, 'plugins', role)).sort()) {
    let manifest;
    try {
      manifest = JSON.parse(readFileSync(join(root, 'plugins', role, name, 'package.json'), 'utf8'));
    } catch {
      continue;
    }
    for (const one of manifest.kubernel.provides) {
      rows.push(
        `| \`${one.role.slice(0, one.role.lastIndexOf('/'))}/${one.name}\` | \`${one.role}\` | [\`${manifest.name}\`](../plugins/${role}/${name}) ${manifest.version} | ${manifest.description ?? ''} |`,
      );
    }
  }
}
write(
  'docs/plugins.md',
  `# Plugins\n\nWhat the packages of this repository provide. A config file names them by the first column.\n\n| plugin | role | package | what it is |\n|---|---|---|---|\n${rows.sort().join('\n')}\n`,
);

if (check && stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}; run: npm run docs`);
  process.exit(1);
}
if (!check) console.log(stale.length > 0 ? `wrote ${stale.join(', ')}` : 'nothing changed');
