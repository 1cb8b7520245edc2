import { registerAddresses } from './addresses.ts';
import { type CelEnvironment, celEngine } from './engine.ts';
import { registerFormats } from './formats.ts';
import { registerLists } from './lists.ts';
import { registerQuantities } from './quantities.ts';
import { registerStrings } from './strings.ts';
import { registerUrls } from './urls.ts';
import { registerVersions } from './versions.ts';

let base: CelEnvironment | undefined;

/** Nesting and length that no sensible rule reaches. */
const LIMITS = { maxAstNodes: 20_000, maxDepth: 200, maxListElements: 2_000, maxMapEntries: 2_000, maxCallArguments: 64 };

/** An environment with these variables (name -> CEL type, `dyn` where it may be anything) and all functions. */
export function celEnvironment(variables: Readonly<Record<string, string>>): CelEnvironment {
  if (!base) {
    const { Environment } = celEngine();
    const made = new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true, limits: LIMITS });
    registerStrings(made);
    registerLists(made);
    registerQuantities(made);
    registerAddresses(made);
    registerUrls(made);
    registerVersions(made);
    registerFormats(made);
    base = made;
  }
  const environment = base.clone();
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  return environment;
}

let functions: Set<string> | undefined;

/** Names of all functions, methods and macros there are. */
export function celFunctions(): ReadonlySet<string> {
  functions ??= new Set([
    ...celEnvironment({})
      .getDefinitions()
      .functions.map(({ name }) => name),
    ...MACROS,
  ]);
  return functions;
}

const MACROS = [
  'has',
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'map',
  'filter',
  'bind',
  'transformList',
  'transformMap',
  'transformMapEntry',
  'sortBy',
  'optMap',
  'optFlatMap',
  'or',
  'orValue',
  'value',
  'hasValue',
  'ofNonZeroValue',
  'of',
  'none',
  'type',
  'timestamp',
  'duration',
  'dyn',
];

/** A compiled expression. Throws what evaluation throws. */
export type CelProgram = (variables: Readonly<Record<string, unknown>>) => unknown;

/** Compiles; throws when the expression is none. */
export function compileCel(expression: string, environment: CelEnvironment): CelProgram {
  return environment.parse(expression) as unknown as CelProgram;
}

/** The words of upstream's engine for what went wrong in an evaluation. */
export function celErrorText(error: unknown): string {
  const text =
    error instanceof Error ? ((error as { summary?: string }).summary ?? (error.message.split('\n')[0] as string)) : String(error);
  return text
    .replace(/^No such key: /, 'no such key: ')
    .replace(/^(?:found )?no matching overload for .*/, 'no such overload')
    .replace(/^Cannot index type .*/, 'no such overload')
    .replace(/^division by zero/i, 'division by zero');
}
