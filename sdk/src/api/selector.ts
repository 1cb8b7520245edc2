import type { FieldErrors, FieldPath } from './field-errors.ts';
import { quote } from './field-errors.ts';
import { labelValue, qualifiedName } from './names.ts';

/** Label and field selectors (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors). */

export interface LabelSelectorRequirement {
  key?: string;
  operator?: string;
  values?: string[];
}

/** The LabelSelector of the API: undefined selects nothing, an empty one everything. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}

export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  key: string;
  operator: SelectorOperator;
  values: readonly string[];
}

/** A parsed selector: all requirements must hold. */
export class Selector {
  static readonly everything = new Selector([]);
  static readonly nothing = new Selector([], true);
  readonly requirements: readonly Requirement[];
  readonly #nothing: boolean;

  constructor(requirements: readonly Requirement[], nothing = false) {
    this.requirements = requirements;
    this.#nothing = nothing;
  }

  get empty(): boolean {
    return this.requirements.length === 0 && !this.#nothing;
  }

  matches(labels: Readonly<Record<string, string>> | undefined): boolean {
    if (this.#nothing) return false;
    for (const requirement of this.requirements) if (!holds(requirement, labels ?? NO_LABELS)) return false;
    return true;
  }

  /** The form a query parameter carries; parseSelector of it gives an equal selector. */
  toString(): string {
    return [...this.requirements]
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .map(requirementText)
      .join(',');
  }
}

const NO_LABELS: Readonly<Record<string, string>> = {};

function holds({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default: {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      const left = BigInt(value);
      const right = BigInt(values[0] ?? '0');
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

function requirementText({ key, operator, values }: Requirement): string {
  const sorted = [...values].sort().join(',');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${sorted})`;
    case 'gt':
      return `${key}>${sorted}`;
    case 'lt':
      return `${key}<${sorted}`;
    default:
      return `${key}${operator}${sorted}`;
  }
}

const OPERATORS: Readonly<Record<string, SelectorOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/** From a LabelSelector object. Throws a RangeError with upstream's words for a malformed one. */
export function selectorOf(selector: LabelSelector | undefined | null): Selector {
  if (!selector) return Selector.nothing;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push(requirement(key, '=', [value]));
  for (const { key = '', operator = '', values = [] } of selector.matchExpressions ?? []) {
    const known = OPERATORS[operator];
    if (!known) throw new RangeError(`${quote(operator)} is not a valid label selector operator`);
    requirements.push(requirement(key, known, values));
  }
  return requirements.length ? new Selector(requirements) : Selector.everything;
}

/** A plain map, as Services select pods. An empty map selects everything: callers decide what that means. */
export function selectorOfMap(labels: Readonly<Record<string, string>> | undefined): Selector {
  return new Selector(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=' as const, values: [value] })));
}

function requirement(key: string, operator: SelectorOperator, values: readonly string[]): Requirement {
  const [problem] = requirementProblems(key, operator, values);
  if (problem) throw new RangeError(problem);
  return { key, operator, values };
}

function requirementProblems(key: string, operator: SelectorOperator, values: readonly string[]): string[] {
  const problems = qualifiedName(key).map((message) => `key: Invalid value: ${quote(key)}: ${message}`);
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    problems.push("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    problems.push(`values: Invalid value: ${JSON.stringify(values)}: values set must be empty for exists and does not exist`);
  }
  if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1)
      problems.push(`values: Invalid value: ${JSON.stringify(values)}: for 'Gt', 'Lt' operators, exactly one value is required`);
    values.forEach((value, i) => {
      if (!/^[+-]?\d+$/.test(value))
        problems.push(`values[${i}]: Invalid value: ${quote(value)}: for 'Gt', 'Lt' operators, the value must be an integer`);
    });
  }
  values.forEach((value, i) => {
    for (const message of labelValue(value)) problems.push(`values[${i}][${key}]: Invalid value: ${quote(value)}: ${message}`);
  });
  return problems;
}

// ------------------------------------------------------------------------------------------------ the string form

type Token = { kind: 'word' | 'in' | 'notin' | '(' | ')' | ',' | '=' | '==' | '!=' | '!' | '>' | '<' | 'end'; text: string };

function* tokens(text: string): Generator<Token> {
  let i = 0;
  while (i < text.length) {
    const char = text[i] ?? '';
    if (/[ \t\r\n]/.test(char)) {
      i++;
    } else if ('=!(),><'.includes(char)) {
      const two = text.slice(i, i + 2);
      const symbol = two === '==' || two === '!=' ? two : char;
      i += symbol.length;
      yield { kind: symbol as Token['kind'], text: symbol };
    } else {
      const word = /^[^=!(),>< \t\r\n]+/.exec(text.slice(i))?.[0] ?? '';
      i += word.length;
      yield { kind: word === 'in' || word === 'notin' ? word : 'word', text: word };
    }
  }
  while (true) yield { kind: 'end', text: '' };
}

/**
 * Parses `a=b,c!=d,e in (f,g),!h,i>1`. Throws a RangeError whose message is upstream's, without the
 * `unable to parse requirement: ` some callers put before it: that is included here, as every endpoint prints it.
 */
export function parseSelector(text: string): Selector {
  const source = tokens(text);
  let ahead = source.next().value as Token;
  const take = (): Token => {
    const token = ahead;
    ahead = source.next().value as Token;
    return token;
  };
  const found: Requirement[] = [];
  const fail = (message: string): never => {
    throw new RangeError(message);
  };
  if (ahead.kind === 'end') return Selector.everything;
  while (true) {
    if (ahead.kind === 'word' || ahead.kind === '!' || ahead.kind === 'in' || ahead.kind === 'notin') {
      found.push(parseRequirement(take, () => ahead));
      const after = take();
      if (after.kind === 'end') break;
      if (after.kind !== ',') fail(`found '${after.text}', expected: ',' or 'end of string'`);
      const next = ahead;
      if (next.kind !== 'word' && next.kind !== '!' && next.kind !== 'in' && next.kind !== 'notin') {
        fail(`found '${next.text}', expected: identifier after ','`);
      }
    } else {
      fail(`found '${ahead.text}', expected: !, identifier, or 'end of string'`);
    }
  }
  return new Selector(found);
}

function parseRequirement(take: () => Token, ahead: () => Token): Requirement {
  const fail = (message: string): never => {
    throw new RangeError(`unable to parse requirement: ${message}`);
  };
  let operator: SelectorOperator = 'exists';
  let token = take();
  if (token.kind === '!') {
    operator = '!';
    token = take();
  }
  if (token.kind !== 'word' && token.kind !== 'in' && token.kind !== 'notin') fail(`found '${token.text}', expected: identifier`);
  const key = token.text;
  const [keyProblem] = qualifiedName(key);
  if (keyProblem) fail(`<nil>: Invalid value: ${quote(key)}: ${keyProblem}`);
  let values: string[] = [];
  if (operator === 'exists' && ahead().kind !== 'end' && ahead().kind !== ',') {
    const symbol = take();
    const known = (
      { in: 'in', notin: 'notin', '=': '=', '==': '==', '!=': '!=', '>': 'gt', '<': 'lt' } as Record<string, SelectorOperator>
    )[symbol.kind];
    if (!known) fail(`found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`);
    operator = known ?? 'exists';
    values = operator === 'in' || operator === 'notin' ? parseValues(take, ahead, fail) : [parseExactValue(take, ahead, fail)];
  }
  const problems = requirementProblems(key, operator, values);
  if (problems.length) fail(problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
  return { key, operator, values };
}

function parseValues(take: () => Token, ahead: () => Token, fail: (message: string) => never): string[] {
  const open = take();
  if (open.kind !== '(') fail(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  if (ahead().kind === ')') {
    take();
    return [''];
  }
  while (true) {
    const token = ahead();
    if (token.kind === 'word' || token.kind === 'in' || token.kind === 'notin') {
      values.add(take().text);
      const after = ahead();
      if (after.kind === ',') continueList(take, ahead, values);
      else if (after.kind !== ')') fail(`found '${after.text}', expected: ',' or ')'`);
    } else if (token.kind === ',') {
      values.add('');
      continueList(take, ahead, values);
    } else if (token.kind === ')') {
      take();
      return [...values].sort();
    } else {
      fail(`found '${token.text}', expected: ',', or identifier`);
    }
  }
}

function continueList(take: () => Token, ahead: () => Token, values: Set<string>): void {
  take();
  if (ahead().kind === ',' || ahead().kind === ')') values.add('');
}

function parseExactValue(take: () => Token, ahead: () => Token, fail: (message: string) => never): string {
  if (ahead().kind === 'end' || ahead().kind === ',') return '';
  const token = take();
  if (token.kind !== 'word' && token.kind !== 'in' && token.kind !== 'notin') fail(`found '${token.text}', expected: identifier`);
  return token.text;
}

// ------------------------------------------------------------------------------------------------ field selectors

export interface FieldRequirement {
  field: string;
  operator: '=' | '!=';
  value: string;
}

/** Parses `metadata.name=x,spec.nodeName!=y`; `\,`, `\=` and `\\` are escapes. Throws a RangeError with upstream's words. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const found: FieldRequirement[] = [];
  for (const term of text.split(/(?<!\\)(?:\\\\)*,/)) {
    if (term === '') continue;
    const match = /^((?:[^\\=!]|\\.|!(?!=))*)(==|!=|=)(.*)$/s.exec(term);
    if (!match) throw new RangeError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator, raw = ''] = match;
    found.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(raw) });
  }
  return found;
}

function unescapeValue(raw: string): string {
  let value = '';
  for (let i = 0; i < raw.length; i++) {
    const char = raw[i] ?? '';
    if (char === '\\') {
      const next = raw[++i];
      if (next === undefined || !'\\,='.includes(next))
        throw new RangeError(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
      value += next;
    } else if (char === '=') {
      throw new RangeError(`invalid field selector: unescaped character in value: ${char}`);
    } else {
      value += char;
    }
  }
  return value;
}

// ------------------------------------------------------------------------------------------------ validation

export function validateLabelKey(key: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, key, qualifiedName(key));
}

export function validateLabels(labels: unknown, path: FieldPath, errors: FieldErrors): void {
  for (const [key, value] of Object.entries((labels ?? {}) as Record<string, string>)) {
    errors.invalidEach(path, key, qualifiedName(key));
    errors.invalidEach(path, value, labelValue(value));
  }
}

/** Checks a LabelSelector object; fields in upstream's order. */
export function validateLabelSelector(
  selector: LabelSelector | undefined | null,
  path: FieldPath,
  errors: FieldErrors,
  options: { allowInvalidValues?: boolean } = {},
): void {
  if (!selector) return;
  validateLabels(selector.matchLabels, path.child('matchLabels'), errors);
  selector.matchExpressions?.forEach(({ key = '', operator = '', values = [] }, i) => {
    const at = path.child('matchExpressions').index(i);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.forbidden(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
      errors.invalid(at.child('operator'), operator, 'not a valid selector operator');
    }
    validateLabelKey(key, at.child('key'), errors);
    if (options.allowInvalidValues) return;
    for (const [j, value] of values.entries()) errors.invalidEach(at.child('values').index(j), value, labelValue(value));
  });
}
