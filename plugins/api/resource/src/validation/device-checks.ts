import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { byteLength, checkCel, dns1123Label, dns1123Subdomain } from '@kubernel/sdk/api';

/** Checks that claims, classes and slices of devices share. */

const MAX_DRIVER_NAME = 63;
const MAX_PARAMETERS = 10 * 1024;
const MAX_SELECTORS = 32;
const MAX_EXPRESSION = 10 * 1024;

export function checkLabel(value: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, value, dns1123Label(value));
}

export function checkDriver(name: string, path: FieldPath, errors: FieldErrors): void {
  if (name === '') {
    errors.required(path);
    return;
  }
  if (byteLength(name) > MAX_DRIVER_NAME) errors.tooLong(path, MAX_DRIVER_NAME);
  errors.invalidEach(path, name, dns1123Subdomain(name.toLowerCase()));
}

/** At most `max` items, each checked, no two with the same key. A negative `max` is none. */
export function checkItems<T>(
  items: readonly T[],
  max: number,
  path: FieldPath,
  errors: FieldErrors,
  check: (item: T, path: FieldPath) => void,
  keyOf?: (item: T) => string,
): void {
  const seen = new Set<string>();
  if (max >= 0 && items.length > max) errors.tooMany(path, items.length, max);
  items.forEach((item, i) => {
    check(item, path.index(i));
    if (!keyOf) return;
    const key = keyOf(item);
    if (seen.has(key)) errors.duplicate(path.index(i), key);
    seen.add(key);
  });
}

export function checkSelectors(selectors: readonly Decoded[], path: FieldPath, errors: FieldErrors, stored: boolean): void {
  checkItems(selectors, MAX_SELECTORS, path, errors, ({ cel }, at) => {
    if (!cel) errors.required(at.child('cel'));
    else if (!stored) checkExpression(cel.expression ?? '', at.child('cel', 'expression'), errors);
  });
}

function checkExpression(expression: string, path: FieldPath, errors: FieldErrors): void {
  if (byteLength(expression) > MAX_EXPRESSION) {
    errors.tooLong(path, MAX_EXPRESSION);
    return;
  }
  const outcome = checkCel(expression, {
    names: ['device'],
    fields: { device: ['driver', 'attributes', 'capacity', 'allowMultipleAllocations'] },
  });
  if ('error' in outcome) errors.invalid(path, expression, `compilation failed: ${outcome.error}`);
  else if (outcome.type !== 'dyn' && outcome.type !== 'bool')
    errors.invalid(path, expression, `must evaluate to bool or the unknown type, not ${outcome.type}`);
}

export function checkConfiguration({ opaque }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const at = path.child('opaque');
  if (!opaque) {
    errors.required(at);
    return;
  }
  checkDriver(opaque.driver ?? '', at.child('driver'), errors);
  const { parameters } = opaque;
  if (parameters === undefined || parameters === null) errors.required(at.child('parameters'));
  else if (typeof parameters !== 'object' || Array.isArray(parameters))
    errors.invalid(at.child('parameters'), '<value omitted>', 'must be a valid JSON object');
  else if (byteLength(JSON.stringify(parameters)) > MAX_PARAMETERS) errors.tooLong(at.child('parameters'), MAX_PARAMETERS);
}
