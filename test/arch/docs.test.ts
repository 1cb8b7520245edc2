import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

it('what is made from code in config/ and docs/ is up to date (npm run docs)', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'kernel', 'bin', 'docs.mjs'), '--check'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

it('every plugin package is compiled by the root build', () => {
  const { references } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] };
  const packages = readdirSync(join(ROOT, 'plugins')).flatMap((role) =>
    readdirSync(join(ROOT, 'plugins', role)).map((name) => `./plugins/${role}/${name}`),
  );
  expect(packages.filter((path) => !references.some((reference) => reference.path === path))).toEqual([]);
});

it('every plugin package has a README and a licence', () => {
  const packages = readdirSync(join(ROOT, 'plugins')).flatMap((role) =>
    readdirSync(join(ROOT, 'plugins', role)).map((name) => join('plugins', role, name)),
  );
  for (const path of packages) {
    expect(readdirSync(join(ROOT, path)), path).toContain('README.md');
    expect(JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')), path).toMatchObject({
      license: 'Apache-2.0',
      type: 'module',
    });
  }
});

it('links between the guides lead somewhere', () => {
  const guides = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ];
  const broken = guides.flatMap((guide) =>
    [...readFileSync(join(ROOT, guide), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => join(ROOT, guide, '..', match[1] as string))
      .filter((target) => {
        try {
          readdirSync(join(target, '..'));
          return !readdirSync(join(target, '..')).includes(target.split('/').at(-1) as string);
        } catch {
          return true;
        }
      })
      .map((target) => `${guide} -> ${target.slice(ROOT.length)}`),
  );
  expect(broken).toEqual([]);
});

it('npm scripts that the guides name exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const guides = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ];
  const named = guides.flatMap((guide) =>
    [...readFileSync(join(ROOT, guide), 'utf8').matchAll(/npm run (?:--silent )?([a-z][a-z:]*)/g)].map((match) => match[1] as string),
  );
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});
