import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { age, ageColumn, containerCells, humanDuration, nameColumn, selectorText, table } from '@kubernel/sdk/api';

interface Job extends KubeObject {
  spec: { completions?: number; parallelism?: number };
  status?: {
    succeeded?: number;
    startTime?: string | null;
    completionTime?: string | null;
    conditions?: { type: string; status: string }[];
  };
}

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  cronjobs: table(
    nameColumn,
    ['Schedule', ({ spec }) => spec.schedule ?? '', 'batch.v1.CronJobSpec.schedule'],
    ['Timezone', ({ spec }) => spec.timeZone ?? '<none>', 'batch.v1.CronJobSpec.timeZone'],
    [
      'Suspend',
      'boolean',
      ({ spec }) => (spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'),
      'batch.v1.CronJobSpec.suspend',
    ],
    ['Active', 'integer', ({ status }) => status?.active?.length ?? 0, 'batch.v1.CronJobStatus.active'],
    [
      'Last Schedule',
      ({ status }, now) => (status?.lastScheduleTime ? age(status.lastScheduleTime, now) : '<none>'),
      'batch.v1.CronJobStatus.lastScheduleTime',
    ],
    ageColumn,
    ['+Containers', ({ spec }) => containerCells(spec.jobTemplate?.spec?.template)[0]],
    ['+Images', ({ spec }) => containerCells(spec.jobTemplate?.spec?.template)[1]],
    ['+Selector', ({ spec }) => selectorText(spec.jobTemplate?.spec?.selector)],
  ),
  jobs: table(
    nameColumn,
    ['Status', (job) => jobStatus(job)],
    ['Completions', (job) => completionsText(job), 'batch.v1.JobStatus.succeeded'],
    ['Duration', ({ status }: Job, now) => durationText(status, now)],
    ageColumn,
    ['+Containers', ({ spec }) => containerCells(spec.template)[0]],
    ['+Images', ({ spec }) => containerCells(spec.template)[1]],
    ['+Selector', ({ spec }) => selectorText(spec.selector)],
  ),
} satisfies Record<string, TableDefinition>;

function jobStatus({ metadata, status }: Job): string {
  const has = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (metadata.deletionTimestamp) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  if (has('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText(status: Job['status'], now: number): string {
  if (!status?.startTime) return '';
  return humanDuration((status.completionTime ? Date.parse(status.completionTime) : now) - Date.parse(status.startTime));
}
