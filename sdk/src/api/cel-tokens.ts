/** The words of CEL expressions. */

export interface Token {
  kind: 'name' | 'number' | 'string' | 'op' | 'end';
  text: string;
  at: number;
}

const SYNTAX =
  /\s*(?:\/\/[^\n]*\s*)*(?:([_a-zA-Z][_a-zA-Z0-9]*)|((?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[uU]?)|([rRbB]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\[^\n]|[^"\\\n])*"|'(?:\\[^\n]|[^'\\\n])*'))|(==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}=]))/y;

/** What is wrong, and where. */
export class CelError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    // A string's prefix would read as a name.
    const prefixed = /\s*([rRbB]{1,2})(?=["'])/y;
    prefixed.lastIndex = position;
    const prefix = prefixed.exec(text);
    SYNTAX.lastIndex = prefix ? prefixed.lastIndex : position;
    const match = SYNTAX.exec(text);
    if (!match) break;
    position = SYNTAX.lastIndex;
    const [, name, number, string, op] = match;
    const kind = name !== undefined ? 'name' : number !== undefined ? 'number' : string !== undefined ? 'string' : 'op';
    const token = name ?? number ?? string ?? op ?? '';
    tokens.push({ kind, text: token, at: position - token.length });
  }
  const rest = text.slice(position).search(/\S/);
  if (rest >= 0 && !text.slice(position).trim().startsWith('//'))
    throw new CelError(`Syntax error: token recognition error at: '${text.slice(position + rest)}'`, position + rest);
  tokens.push({ kind: 'end', text: '<EOF>', at: text.length });
  return tokens;
}
