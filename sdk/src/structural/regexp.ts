const compiled = new Map<string, RegExp | Error>();
const MAX_KEPT = 10_000;

/**
 * A pattern in Go's syntax (RE2) as a JavaScript expression. Throws a SyntaxError. Unlike RE2 it may backtrack: whoever may write
 * a CustomResourceDefinition may make its objects slow to check.
 */
export function goPattern(pattern: string): RegExp {
  let known = compiled.get(pattern);
  if (!known) {
    try {
      known = translate(pattern);
    } catch (error) {
      known = error as Error;
    }
    if (compiled.size >= MAX_KEPT) compiled.clear();
    compiled.set(pattern, known);
  }
  if (known instanceof Error) throw known;
  return known;
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

function translate(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = (flags ? pattern.slice(flags[0].length) : pattern)
    .replace(/\(\?P</g, '(?<')
    .replace(/\[:([a-z]+):\]/g, (all, name: string) => POSIX[name] ?? all)
    .replace(/\\([Az])/g, (_all, end: string) => (end === 'A' ? '^' : '$'));
  // References and looking around are no part of RE2.
  if (/\\[1-9]|\(\?(?:[=!]|<[=!])/.test(body)) throw new SyntaxError('invalid or unsupported Perl syntax');
  try {
    return new RegExp(body, `u${flags?.[1] ?? ''}`);
  } catch {
    // The strict mode knows fewer escapes than Go does.
    return new RegExp(body, flags?.[1] ?? '');
  }
}
