import { createRequire } from 'node:module';
import type * as engine from '@marcbachmann/cel-js';

export type CelEnvironment = engine.Environment;

let loaded: typeof engine | undefined;

/** Synchronous, since expressions are compiled in the middle of a request; a server without rules never pays for it. */
export function celEngine(): typeof engine {
  loaded ??= createRequire(import.meta.url)('@marcbachmann/cel-js') as typeof engine;
  return loaded;
}

/** `optional.of(value)`, or none for undefined. */
export function celOptional(value: unknown): unknown {
  const { Optional } = celEngine() as unknown as { Optional: { of(value: unknown): unknown } };
  return Optional.of(value);
}
