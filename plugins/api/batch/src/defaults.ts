import type { DefaultFunction } from '@kubernel/sdk';

type Fields = Record<string, unknown>;

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  // the job inside a cron job is left as it is until it becomes one
  'batch.v1.Job': (job) => {
    const spec = job.spec as Fields;
    const metadata = job.metadata as { labels?: Fields };
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
    const labels = (spec.template as { metadata?: { labels?: Fields } } | undefined)?.metadata?.labels;
    if (labels && !Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels };
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    spec.manualSelector ??= false;
  },

  'batch.v1.PodFailurePolicyOnPodConditionsPattern': (pattern) => {
    pattern.status ||= 'True';
  },

  'batch.v1.CronJobSpec': (spec) => {
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
  },
};
