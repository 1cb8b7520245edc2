import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkEnum, checkNonNegative, FieldPath } from '@kubernel/sdk/api';
import { isTimeZone, scheduleProblem } from './cron-schedule.ts';
import { checkJobSpec } from './job.ts';

const SPEC = FieldPath.of('spec');

export function checkCronJob(cronJob: Decoded, old: Decoded | undefined, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = cronJob.spec ?? {};
  const before: Decoded | undefined = old?.spec;
  checkSchedule(spec, before, SPEC.child('schedule'), errors);
  checkNonNegative(spec.startingDeadlineSeconds, SPEC.child('startingDeadlineSeconds'), errors);
  if (!before || before.timeZone !== spec.timeZone) checkTimeZone(spec.timeZone, SPEC.child('timeZone'), errors);
  checkEnum(spec.concurrencyPolicy, SPEC.child('concurrencyPolicy'), errors, ['Allow', 'Forbid', 'Replace']);
  const job: Decoded = spec.jobTemplate?.spec ?? {};
  const at = SPEC.child('jobTemplate', 'spec');
  checkJobSpec(job, at, errors, context);
  if (job.selector) errors.invalid(at.child('selector'), job.selector, '`selector` will be auto-generated');
  if (job.manualSelector) errors.notSupported(at.child('manualSelector'), true, ['nil', 'false']);
  checkNonNegative(spec.successfulJobsHistoryLimit, SPEC.child('successfulJobsHistoryLimit'), errors);
  checkNonNegative(spec.failedJobsHistoryLimit, SPEC.child('failedJobsHistoryLimit'), errors);
  // Names of jobs add eleven characters, and theirs have to fit a label.
  const name = cronJob.metadata.name ?? '';
  if (!old && name.length > 52) errors.invalid(FieldPath.of('metadata', 'name'), name, 'must be no more than 52 characters');
}

function checkSchedule(spec: Decoded, before: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  const schedule = spec.schedule ?? '';
  if (!schedule) {
    errors.required(path);
    return;
  }
  const problem = scheduleProblem(schedule);
  if (problem) errors.invalid(path, schedule, problem);
  if (!schedule.includes('TZ')) return;
  if (!before?.schedule?.includes('TZ')) errors.invalid(path, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
  else if (spec.timeZone !== undefined) errors.invalid(path, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule');
}

function checkTimeZone(zone: string | undefined, path: FieldPath, errors: FieldErrors): void {
  if (zone === undefined) return;
  if (zone === '') errors.invalid(path, zone, 'timeZone must be nil or non-empty string');
  else if (zone.toLowerCase() === 'local')
    errors.invalid(path, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones');
  else if (!isTimeZone(zone)) errors.invalid(path, zone, `unknown time zone ${zone}`);
}
