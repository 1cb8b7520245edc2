import type { Token } from './cel-tokens.ts';
import { CelError, tokensOf } from './cel-tokens.ts';

/**
 * A first look at CEL expressions (https://github.com/google/cel-spec): their grammar, the names they use and, where it
 * shows at once, what type they have. It does not evaluate anything and knows no schemas.
 */

export interface CelNames {
  /** The variables there are. */
  names: readonly string[];
  /** The fields of some of them, where only these exist. */
  fields?: Readonly<Record<string, readonly string[]>>;
  /** The types of some of them, as far as they are known. */
  types?: Readonly<Record<string, string>>;
}

/** `type` is `dyn` where only a full checker could tell. */
export type CelOutcome = { type: string } | { error: string };

/** Methods that say yes or no. */
const TESTS = ['all', 'exists', 'exists_one', 'contains', 'startsWith', 'endsWith', 'matches'];
const LITERALS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
const TYPE_NAMES = [
  'bool',
  'bytes',
  'double',
  'dyn',
  'int',
  'list',
  'map',
  'null_type',
  'optional_type',
  'string',
  'type',
  'uint',
  'google',
  'optional',
  'math',
  'strings',
  'sets',
  'base64',
  'net',
  'kubernetes',
  'JSONPatch',
  'Object',
  'jsonpatch',
  'ip',
  'cidr',
  'format',
  'quantity',
  'url',
];
const MACROS = [
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'filter',
  'map',
  'transformList',
  'transformMap',
  'transformMapEntry',
  'sortBy',
  'bind',
];
class Checker {
  readonly #tokens: Token[];
  readonly #known: CelNames;
  readonly #locals: string[] = [];
  #next = 0;

  constructor(tokens: Token[], known: CelNames) {
    this.#tokens = tokens;
    this.#known = known;
  }

  whole(): string {
    const type = this.#expression();
    if (this.#token.kind !== 'end')
      throw new CelError(`Syntax error: mismatched input '${this.#token.text}' expecting <EOF>`, this.#token.at);
    if (this.#unknown) throw this.#unknown;
    return type;
  }

  /** The first name that does not exist: syntax errors come before it. */
  #unknown: CelError | undefined;

  #report(error: CelError): void {
    if (!this.#unknown || error.at < this.#unknown.at) this.#unknown = error;
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #is(...ops: string[]): boolean {
    const { kind, text } = this.#token;
    return (kind === 'op' && ops.includes(text)) || (kind === 'name' && text === 'in' && ops.includes('in'));
  }

  #take(op: string): boolean {
    if (!this.#is(op)) return false;
    this.#next++;
    return true;
  }

  #close(op: string, more = ''): void {
    if (!this.#take(op))
      throw new CelError(`Syntax error: mismatched input '${this.#token.text}' expecting ${more || `'${op}'`}`, this.#token.at);
  }

  #expression(opening = ''): string {
    const type = this.#binary(0, opening);
    if (!this.#take('?')) return type;
    const left = this.#binary(0);
    this.#close(':');
    const right = this.#expression();
    return left === right ? left : 'dyn';
  }

  #binary(level: number, opening = ''): string {
    const levels = [['||'], ['&&'], ['<', '<=', '>=', '>', '==', '!=', 'in'], ['+', '-'], ['*', '/', '%']];
    const ops = levels[level];
    if (!ops) return this.#unary(opening);
    let type = this.#binary(level + 1, opening);
    while (this.#is(...ops)) {
      this.#next++;
      const right = this.#binary(level + 1);
      type = level < 3 ? 'bool' : type === right ? type : 'dyn';
    }
    return type;
  }

  #unary(opening: string): string {
    if (this.#take('!')) {
      while (this.#take('!'));
      this.#member('');
      return 'bool';
    }
    while (this.#take('-'));
    return this.#member(opening);
  }

  #member(opening: string): string {
    const start = this.#token;
    let type = this.#primary(opening);
    let fields = start.kind === 'name' ? this.#known.fields?.[start.text] : undefined;
    for (;;) {
      const dot = this.#token;
      if (this.#take('.')) {
        this.#take('?');
        const name = this.#token;
        if (name.kind !== 'name' || name.text === 'in')
          throw new CelError(`Syntax error: no viable alternative at input '.${name.kind === 'end' ? '' : name.text}'`, name.at);
        this.#next++;
        type = 'dyn';
        if (this.#is('(')) {
          this.#call(name.text, true);
          if (TESTS.includes(name.text)) type = 'bool';
        } else if (fields && !fields.includes(name.text)) this.#report(new CelError(`undefined field '${name.text}'`, dot.at));
        if (this.#is('{')) this.#braces(true);
      } else if (this.#take('[')) {
        this.#take('?');
        this.#expression();
        this.#close(']');
        type = 'dyn';
      } else if (this.#is('{') && start.kind === 'name') {
        this.#braces(true);
        type = start.text;
      } else {
        return type;
      }
      fields = undefined;
    }
  }

  #primary(opening: string): string {
    this.#take('.');
    const token = this.#token;
    const operand = `Syntax error: ${token.kind === 'end' ? 'mismatched' : 'extraneous'} input '${token.text}' expecting {'[', '{', '(', ${opening}'.', '-', '!', ${LITERALS}}`;
    if (token.kind === 'end' || token.text === 'in') throw new CelError(operand, token.at);
    this.#next++;
    if (token.kind === 'number')
      return /[uU]$/.test(token.text) ? 'uint' : /[.eE]/.test(token.text) && !token.text.startsWith('0x') ? 'double' : 'int';
    if (token.kind === 'string') return /^[rR]?[bB]/.test(token.text) ? 'bytes' : 'string';
    if (token.kind === 'name') return this.#name(token);
    if (token.text === '(') {
      const type = this.#expression();
      this.#close(')');
      return type;
    }
    if (token.text === '[') {
      while (!this.#is(']')) {
        this.#take('?');
        this.#expression();
        if (!this.#take(',')) break;
      }
      this.#close(']');
      return 'list';
    }
    if (token.text === '{') {
      this.#next--;
      this.#braces(false);
      return 'map';
    }
    throw new CelError(operand, token.at);
  }

  #name(token: Token): string {
    if (token.text === 'true' || token.text === 'false') return 'bool';
    if (token.text === 'null') return 'null_type';
    if (this.#is('(')) {
      this.#call(token.text, false);
      return token.text === 'has' ? 'bool' : ['int', 'uint', 'double', 'string', 'bytes', 'bool'].includes(token.text) ? token.text : 'dyn';
    }
    const isKnown = this.#known.names.includes(token.text) || this.#locals.includes(token.text) || TYPE_NAMES.includes(token.text);
    if (!isKnown && !this.#is('{')) this.#report(new CelError(`undeclared reference to '${token.text}' (in container '')`, token.at));
    return this.#known.types?.[token.text] ?? 'dyn';
  }

  #call(name: string, onTarget: boolean): void {
    this.#close('(');
    const isMacro = onTarget && MACROS.includes(name);
    const depth = this.#locals.length;
    if (isMacro) {
      // The variables a macro binds come before its expressions.
      for (let i = this.#next; this.#tokens[i]?.kind === 'name' && this.#tokens[i + 1]?.text === ','; i += 2)
        this.#locals.push(this.#tokens[i]?.text ?? '');
    }
    let opening = "')', ";
    while (!this.#is(')')) {
      this.#expression(opening);
      opening = '';
      if (!this.#take(',')) break;
    }
    this.#close(')');
    this.#locals.length = depth;
  }

  #braces(isMessage: boolean): void {
    this.#close('{');
    while (!this.#is('}')) {
      this.#take('?');
      if (isMessage) {
        if (this.#token.kind !== 'name')
          throw new CelError(
            `Syntax error: mismatched input '${this.#token.text}' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}`,
            this.#token.at,
          );
        this.#next++;
      } else {
        this.#expression();
      }
      this.#close(':');
      this.#expression();
      if (!this.#take(',')) break;
    }
    this.#close('}');
  }
}

/** The type of an expression, or what is wrong with it, as cel-go prints it. */
export function checkCel(text: string, known: CelNames): CelOutcome {
  try {
    return { type: new Checker(tokensOf(text), known).whole() };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { error: `ERROR: <input>:${place(text, error.at)} ${snippet(error.message, text, error.at)}` };
  }
}

function place(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  const column = text === '' ? 0 : (before.at(-1)?.length ?? 0) + 1;
  return `${before.length}:${column}:`;
}

function snippet(message: string, text: string, at: number): string {
  if (text === '') return message;
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(start).split('\n')[0] ?? '';
  return `${message}\n | ${line}\n | ${'.'.repeat(at - start)}^`;
}
