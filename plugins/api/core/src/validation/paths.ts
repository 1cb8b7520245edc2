import type { FieldErrors, FieldPath } from '@kubernel/sdk/api';

/** File paths inside volumes: relative, and never upwards. */

export function checkNoBacksteps(target: string, path: FieldPath, errors: FieldErrors): void {
  if (target.split('/').includes('..')) errors.invalid(path, target, "must not contain '..'");
}

export function checkDescendingPath(target: string, path: FieldPath, errors: FieldErrors): void {
  if (target.startsWith('/')) errors.invalid(path, target, 'must be a relative path');
  checkNoBacksteps(target, path, errors);
}

/** Also keeps clear of names that begin with '..', which volume writers use for themselves. */
export function checkFilePath(target: string, path: FieldPath, errors: FieldErrors): void {
  checkDescendingPath(target, path, errors);
  if (target.startsWith('..') && !target.startsWith('../') && target !== '..') errors.invalid(path, target, "must not start with '..'");
}

export function checkFileMode(mode: number | undefined, path: FieldPath, errors: FieldErrors): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0))
    errors.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive');
}
