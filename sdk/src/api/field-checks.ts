import { semanticEqual } from './equality.ts';
import type { FieldErrors, FieldPath } from './field-errors.ts';
import type { IntOrString } from './int-or-string.ts';
import type { NameCheck } from './names.ts';
import { dns1123Label, dns1123Subdomain, patternMessage, portName, portNumber, qualifiedName } from './names.ts';
import { IMMUTABLE } from './object-meta.ts';

/** Checks of single fields that many kinds share, in upstream's words. An absent number is 0, an absent string ''. */

export function checkNonNegative(value: number | undefined, path: FieldPath, errors: FieldErrors): void {
  if ((value ?? 0) < 0) errors.invalid(path, value, 'must be greater than or equal to 0');
}

/** `required` when empty and `allowEmpty` is not set, `Unsupported value` when not among `supported`, listed as given. */
export function checkEnum(
  value: string | undefined,
  path: FieldPath,
  errors: FieldErrors,
  supported: readonly string[],
  allowEmpty = false,
): void {
  if (!value && !supported.includes('')) {
    if (!allowEmpty) errors.required(path);
  } else if (!supported.includes(value ?? '')) {
    errors.notSupported(path, value ?? '', supported);
  }
}

/** A pointer to an enum: absent is fine, an empty string is not. */
export function checkEnumPointer(
  value: string | undefined | null,
  path: FieldPath,
  errors: FieldErrors,
  supported: readonly string[],
): void {
  if (value !== undefined && value !== null && !supported.includes(value)) errors.notSupported(path, value, supported);
}

export function checkRequired(value: string | undefined, path: FieldPath, errors: FieldErrors, detail = ''): boolean {
  if (value) return true;
  errors.required(path, detail);
  return false;
}

/** Required, and a name by `check`. */
export function checkName(value: string | undefined, path: FieldPath, errors: FieldErrors, check: NameCheck): void {
  if (!value) errors.required(path);
  else errors.invalidEach(path, value, check(value, false));
}

export function checkDnsLabel(value: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, value, dns1123Label(value));
}

export function checkQualifiedName(value: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, value, qualifiedName(value));
}

/** A port by number or by container port name; an absent one is port 0. */
export function checkPortNumberOrName(port: IntOrString | undefined, path: FieldPath, errors: FieldErrors): void {
  if (typeof port === 'string') errors.invalidEach(path, port, portName(port));
  else errors.invalidEach(path, port ?? 0, portNumber(port ?? 0));
}

export function checkImmutable(value: unknown, old: unknown, path: FieldPath, errors: FieldErrors, printed: unknown = value): void {
  if (!semanticEqual(value, old)) errors.invalid(path, printed, IMMUTABLE);
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

/** `acme.io/foo`: a DNS subdomain and a path behind it. */
export function checkDomainPrefixedPath(text: string | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!text) {
    errors.required(path);
    return;
  }
  const slash = text.indexOf('/');
  const domain = text.slice(0, Math.max(slash, 0));
  const rest = text.slice(slash + 1);
  if (!domain || !rest) {
    errors.invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")');
    return;
  }
  errors.invalidEach(path, domain, dns1123Subdomain(domain));
  if (!new RegExp(`^${HTTP_PATH}$`).test(rest)) errors.invalid(path, rest, patternMessage('Invalid path', HTTP_PATH));
}
