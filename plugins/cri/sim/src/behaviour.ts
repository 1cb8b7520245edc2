/** Annotations of a pod that say how its simulated containers behave; without them they run until they are stopped. */
export const EXIT_CODE = 'sim.kubernel.dev/exit-code';
/** Milliseconds from start to exit. With an exit code alone: at once. */
export const RUN_MS = 'sim.kubernel.dev/run-ms';
/** Images whose pull fails. */
export const MISSING_IMAGE = /(^|\/)(does-not-exist|missing)([:/@]|$)/;

export interface Behaviour {
  /** Undefined: until it is stopped. */
  exitAfterMs: number | undefined;
  exitCode: number;
}

/**
 * What the pod's annotations say, else what a well-known command would do: `true`, `false`, `exit N` and `sleep N`, so that
 * jobs and crash loops can be tried without containers.
 */
export function behaviour(annotations: Record<string, string>, command: readonly string[]): Behaviour {
  const { [EXIT_CODE]: exitCode, [RUN_MS]: runMs } = annotations;
  if (exitCode !== undefined || runMs !== undefined) return { exitAfterMs: Number(runMs ?? 0), exitCode: Number(exitCode ?? 0) };
  const text = command.join(' ');
  if (text === 'true') return { exitAfterMs: 0, exitCode: 0 };
  if (text === 'false') return { exitAfterMs: 0, exitCode: 1 };
  const exit = /(?:^|[;& ])exit (\d+)$/.exec(text);
  const sleep = /(?:^|[;& ])sleep (\d+(?:\.\d+)?)\b/.exec(text);
  if (sleep && !text.includes('while')) return { exitAfterMs: Number(sleep[1]) * 1000, exitCode: Number(exit?.[1] ?? 0) };
  return exit ? { exitAfterMs: 0, exitCode: Number(exit[1]) } : { exitAfterMs: undefined, exitCode: 0 };
}
