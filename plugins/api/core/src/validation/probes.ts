import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkNonNegative, checkPortNumberOrName, checkRequired, httpHeaderName } from '@kubernel/sdk/api';

/** Probes and lifecycle hooks: each has exactly one handler. */

type HandlerCheck = (handler: Decoded, path: FieldPath, errors: FieldErrors, gracePeriod: number | undefined) => void;

const exec: HandlerCheck = (handler, path, errors) => {
  if (!handler.command?.length) errors.required(path.child('command'));
};

const httpGet: HandlerCheck = (handler, path, errors) => {
  checkRequired(handler.path, path.child('path'), errors);
  checkPortNumberOrName(handler.port, path.child('port'), errors);
  const scheme = handler.scheme ?? '';
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.notSupported(path.child('scheme'), scheme, ['HTTP', 'HTTPS']);
  for (const { name = '' } of handler.httpHeaders ?? []) errors.invalidEach(path.child('httpHeaders'), name, httpHeaderName(name));
};

const onPort: HandlerCheck = (handler, path, errors) => checkPortNumberOrName(handler.port, path.child('port'), errors);

const sleep: HandlerCheck = (handler, path, errors, gracePeriod) => {
  const seconds = handler.seconds ?? 0;
  if (gracePeriod !== undefined && (seconds < 0 || seconds > gracePeriod)) {
    errors.invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`);
  }
};

const PROBE_HANDLERS: readonly [string, HandlerCheck][] = [
  ['exec', exec],
  ['httpGet', httpGet],
  ['tcpSocket', onPort],
  ['grpc', onPort],
];
const HOOK_HANDLERS: readonly [string, HandlerCheck][] = [
  ['exec', exec],
  ['httpGet', httpGet],
  ['tcpSocket', onPort],
  ['sleep', sleep],
];

function checkHandler(value: Decoded, path: FieldPath, errors: FieldErrors, handlers: typeof PROBE_HANDLERS, gracePeriod?: number): void {
  let found = false;
  for (const [key, check] of handlers) {
    if (!value[key]) continue;
    if (found) errors.forbidden(path.child(key), 'may not specify more than 1 handler type');
    else check(value[key], path.child(key), errors, gracePeriod);
    found = true;
  }
  if (!found) errors.required(path, 'must specify a handler type');
}

export function checkLifecycle(
  lifecycle: Decoded | undefined,
  path: FieldPath,
  errors: FieldErrors,
  gracePeriod: number | undefined,
): void {
  for (const hook of ['postStart', 'preStop'] as const) {
    if (lifecycle?.[hook]) checkHandler(lifecycle[hook], path.child(hook), errors, HOOK_HANDLERS, gracePeriod);
  }
}

function checkProbe(probe: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkHandler(probe, path, errors, PROBE_HANDLERS);
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']) {
    checkNonNegative(probe[field], path.child(field), errors);
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) errors.invalid(path.child('terminationGracePeriodSeconds'), grace, 'must be greater than 0');
}

/** The three probes of a container, in upstream's order. */
export function checkProbes(container: Decoded, path: FieldPath, errors: FieldErrors): void {
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[kind];
    if (!probe) continue;
    const at = path.child(kind);
    checkProbe(probe, at, errors);
    if (kind === 'readinessProbe') {
      const grace = probe.terminationGracePeriodSeconds;
      if (grace !== undefined) errors.invalid(at.child('terminationGracePeriodSeconds'), grace, 'must not be set for readinessProbes');
    } else if ((probe.successThreshold ?? 0) !== 1) {
      errors.invalid(at.child('successThreshold'), probe.successThreshold ?? 0, 'must be 1');
    }
  }
}
