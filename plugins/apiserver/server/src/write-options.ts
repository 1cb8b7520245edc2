import { FieldErrors, FieldPath, validateFieldManager } from '@kubernel/sdk/api';
import type { Call } from './call.ts';
import type { DecodeTarget } from './codec.ts';
import { badRequest } from './status.ts';

/** CreateOptions, UpdateOptions and PatchOptions, as the query carries them. */
export interface WriteOptions {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  force: boolean | undefined;
  /** As admission plugins get it. */
  document: Record<string, unknown>;
}

export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

const NONE: Record<OptionsKind, WriteOptions> = {
  CreateOptions: defaults('CreateOptions'),
  UpdateOptions: defaults('UpdateOptions'),
  PatchOptions: defaults('PatchOptions'),
};

function defaults(kind: OptionsKind): WriteOptions {
  return {
    dryRun: false,
    fieldManager: '',
    fieldValidation: 'Warn',
    force: undefined,
    document: { kind, apiVersion: 'meta.k8s.io/v1' },
  };
}

const MAX_MANAGER_LENGTH = 128;

export function writeOptions(call: Call, kind: OptionsKind, apply = false): WriteOptions {
  const { query } = call;
  if (query.size === 0 && !apply) return NONE[kind];
  const dryRun = query.all('dryRun').filter((value) => value !== '');
  const fieldManager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const force = kind === 'PatchOptions' && query.has('force') ? query.flag('force') : undefined;
  const errors = new FieldErrors();
  if (kind === 'PatchOptions') {
    if (apply) {
      if (fieldManager === '') errors.required(FieldPath.of('fieldManager'), 'is required for apply patch');
    } else if (force !== undefined) {
      errors.forbidden(FieldPath.of('force'), 'may not be specified for non-apply patch');
    }
  }
  validateFieldManager(fieldManager, FieldPath.of('fieldManager'), errors);
  checkDryRun(dryRun, errors);
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    errors.notSupported(FieldPath.of('fieldValidation'), fieldValidation, ['', 'Ignore', 'Strict', 'Warn']);
  }
  if (!errors.empty) throw errors.toStatusError(kind, 'meta.k8s.io', '');
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: (fieldValidation || 'Warn') as WriteOptions['fieldValidation'],
    force,
    document: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun.length > 0 ? { dryRun } : {}),
      ...(force === undefined ? {} : { force }),
      ...(fieldManager ? { fieldManager } : {}),
      ...(fieldValidation ? { fieldValidation } : {}),
    },
  };
}

export function checkDryRun(values: readonly string[], errors: FieldErrors): void {
  if (values.length > 0 && values.some((value) => value !== 'All')) errors.notSupported(FieldPath.of('dryRun'), values, ['All']);
}

/** `kubectl/v1.36.0 (linux/amd64)` -> `kubectl`: who manages the fields when nobody says. */
export function managerOf(options: WriteOptions, call: Call): string {
  if (options.fieldManager) return options.fieldManager;
  const agent = call.userAgent.split('/')[0] ?? '';
  return agent === '' ? 'unknown' : [...agent].slice(0, MAX_MANAGER_LENGTH).join('');
}

/** The same for a patch, which may be made several times over: each says its warnings once. */
export function settlePatchProblems(problems: readonly string[], options: WriteOptions, call: Call): void {
  settleProblems(
    problems.filter((problem) => !call.warnings.includes(problem)),
    options,
    call,
  );
}

/** What decoding found goes where fieldValidation says: nowhere, into Warning headers, or back as a refusal. */
export function settleProblems(problems: readonly string[], options: WriteOptions, call: Call, target?: DecodeTarget): void {
  if (problems.length === 0 || options.fieldValidation === 'Ignore') return;
  if (options.fieldValidation !== 'Strict') {
    for (const problem of problems) call.warnings.push(problem);
    return;
  }
  const about = target
    ? `${target.kind} in version ${JSON.stringify(target.apiVersion.split('/').at(-1))} cannot be handled as a ${target.kind}: `
    : '';
  throw badRequest(`${about}strict decoding error: ${problems.join(', ')}`);
}
