import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

/** Who may import what of ours, and why. */
const RULES = [
  { dir: 'sdk', allowed: [], why: 'plugin authors depend on the SDK alone: what it pulled in would become part of the contract' },
  {
    dir: 'kernel',
    allowed: ['@kubernel/sdk'],
    why: 'the kernel knows plugins by their manifest only, so that any of them can be replaced',
  },
  {
    dir: 'plugins',
    allowed: ['@kubernel/sdk'],
    why: 'in-tree plugins get no favours: each could be moved to another repository unchanged',
  },
];

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (name === 'dist' || name === 'node_modules') return [];
    if (statSync(path).isDirectory()) return sources(path);
    return /\.(ts|tsx|mts|mjs)$/.test(name) ? [path] : [];
  });
}

const IMPORT = /(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|^import\s*['"]([^'"]+)['"]/gm;

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
}

function packageRoot(file: string): string {
  const parts = relative(ROOT, file).split('/');
  return join(ROOT, ...parts.slice(0, parts[0] === 'plugins' ? 3 : 1));
}

describe.each(RULES)('$dir', ({ dir, allowed, why }) => {
  const files = sources(join(ROOT, dir));

  it(`imports ${allowed.join(' and ') || 'nothing'} of ours: ${why}`, () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('@kubernel/'))
        .filter((name) => !allowed.some((one) => name === one || name.startsWith(`${one}/`)))
        .map((name) => `${relative(ROOT, file)} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('reaches no other package by a relative path: a package is published without its neighbours', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => join(file, '..', name))
        .filter((target) => !target.startsWith(`${packageRoot(file)}/`))
        .map((target) => `${relative(ROOT, file)} reaches ${relative(ROOT, target)}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('modules', () => {
  it('do not import each other in a circle: neither could be read, tested or loaded alone', () => {
    const files = RULES.flatMap(({ dir }) => sources(join(ROOT, dir))).filter((file) => !file.endsWith('.test.ts'));
    // Types vanish when the code is compiled, so only imports of values can tie a knot.
    const edges = new Map(
      files.map((file) => {
        const text = readFileSync(file, 'utf8')
          .replace(/^\s*(import|export) type [^;]*;/gm, '')
          .replace(/import\s*\{\s*(type [^,}]+,?\s*)+\}\s*from[^;]*;/g, '');
        const targets = [...text.matchAll(IMPORT)]
          .map((match) => (match[1] ?? match[3] ?? '') as string)
          .filter((name) => name.startsWith('.'));
        return [file, targets.map((name) => join(file, '..', name))];
      }),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const path: string[] = [];
    const visit = (file: string): void => {
      const at = path.indexOf(file);
      if (at >= 0) {
        cycles.push([...path.slice(at), file].map((one) => relative(ROOT, one)).join(' -> '));
        return;
      }
      if (done.has(file)) return;
      path.push(file);
      for (const next of edges.get(file) ?? []) visit(next);
      path.pop();
      done.add(file);
    };
    for (const file of edges.keys()) visit(file);
    expect(cycles).toEqual([]);
  });
});

describe('files', () => {
  it('have no names that say nothing: a function lives beside the thing it is about', () => {
    const files = RULES.flatMap(({ dir }) => sources(join(ROOT, dir)));
    expect(
      files.filter((file) => /\/(utils?|helpers?|common|misc)(\.test)?\.[mt]s$/.test(file)).map((file) => relative(ROOT, file)),
    ).toEqual([]);
  });
});
