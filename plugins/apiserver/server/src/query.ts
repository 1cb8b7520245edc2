/**
 * Query parameters, parsed once and only where there are any: `URLSearchParams` costs more than a whole cached GET.
 * As in Go, a pair with a semicolon in it is dropped, and a malformed escape drops the pair.
 */
export class Query {
  readonly #pairs: [string, string][] = [];
  readonly #raw: string;

  constructor(raw: string) {
    this.#raw = raw;
    if (raw === '') return;
    for (const pair of raw.split('&')) {
      if (pair === '' || pair.includes(';')) continue;
      const equals = pair.indexOf('=');
      try {
        if (equals < 0) this.#pairs.push([unescape(pair), '']);
        else this.#pairs.push([unescape(pair.slice(0, equals)), unescape(pair.slice(equals + 1))]);
      } catch {
        // A malformed escape: upstream ignores the pair as well.
      }
    }
  }

  /** As the client wrote it. */
  toString(): string {
    return this.#raw;
  }

  get size(): number {
    return this.#pairs.length;
  }

  /** The first value, undefined when the parameter is missing. */
  get(name: string): string | undefined {
    for (const [key, value] of this.#pairs) if (key === name) return value;
    return undefined;
  }

  all(name: string): string[] {
    return this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#pairs.some(([key]) => key === name);
  }

  /** Missing, `0` and `false` (any case) are false; everything else, also an empty value, is true, as upstream converts it. */
  flag(name: string): boolean {
    const value = this.get(name);
    return value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
  }
}

function unescape(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? decodeURIComponent(spaced) : spaced;
}

/** Most requests have none. */
export const NO_QUERY = new Query('');
