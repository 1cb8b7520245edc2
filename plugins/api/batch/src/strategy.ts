import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { keepSpec, keepStatus, kindStrategy } from '@kubernel/sdk/api';
import { checkCronJob } from './validation/cron-job.ts';
import { checkJob, checkJobStatus, checkJobUpdate, jobLabels } from './validation/job.ts';

const job = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkJob(object, errors, validation),
    validateUpdate: (object, old, errors, { validation }) => checkJobUpdate(object, old, errors, validation),
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  {
    generation: true,
    prepareForCreate(object, { dryRun }) {
      generateSelector(object, dryRun);
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
    defaultDeletion: 'Orphan',
  },
);

/**
 * Ties the pods to the job by its uid, which no other job has had. A label the client set is left alone: validation
 * then says that it is not the generated one.
 */
function generateSelector(object: KubeObject, dryRun: boolean): void {
  const spec = (object.spec ??= {}) as Decoded;
  if (spec.manualSelector) return;
  const { metadata } = object;
  spec.template ??= {};
  const template: Decoded = (spec.template.metadata ??= {});
  // The job takes its labels from the template where it has none; upstream lets the two be one map, which shows in a
  // dry run only when the client sent that map.
  const shared = Object.keys(metadata.labels ?? {}).length === 0 ? template.labels !== undefined || !dryRun : metadata.labels === template.labels;
  const labels: Record<string, string> = { ...template.labels };
  for (const [key, value] of Object.entries(jobLabels(metadata.uid ?? '', metadata.name ?? ''))) labels[key] ??= value;
  template.labels = labels;
  if (shared) metadata.labels = { ...labels };
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels };
  spec.selector.matchLabels['batch.kubernetes.io/controller-uid'] ??= metadata.uid;
}

const jobStatus = kindStrategy(
  { namespaced: true, validateUpdate: (object, _old, errors) => checkJobStatus(object.status ?? {}, errors), onUpdate: ['update', 'validateUpdate'] },
  { prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

const cronJob = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkCronJob(object, validation.old, errors, validation),
    onUpdate: ['update', 'validate'],
  },
  {
    generation: true,
    prepareForCreate(object) {
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
  },
);

const cronJobStatus = kindStrategy({ namespaced: true, onUpdate: ['update'] }, { prepareForUpdate: keepSpec, resetFields: ['spec'] });

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  cronjobs: cronJob,
  'cronjobs/status': cronJobStatus,
  jobs: job,
  'jobs/status': jobStatus,
};
