import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import {
  dropDisabledPodFields,
  FieldPath,
  keepSpec,
  keepStatus,
  kindStrategy,
  nameWarnings,
  templateWarnings,
  workloadWarnings,
} from '@kubernel/sdk/api';
import { checkCronJob } from './validation/cron-job.ts';
import { checkJob, checkJobStatus, checkJobUpdate, jobLabels } from './validation/job.ts';

const job = kindStrategy(
  {
    namespaced: true,
    validate(object, errors, { validation }) {
      checkJob(object, errors, validation);
      // Without labels on either, it takes those that were made for the template on its way to storage.
      if (validation.old === undefined && Object.keys(object.metadata.labels ?? {}).length === 0)
        object.metadata.labels = { ...object.spec?.template?.metadata?.labels };
    },
    validateUpdate: (object, old, errors, { validation }) => checkJobUpdate(object, old, errors, validation),
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  {
    generation: true,
    prepareForCreate(object) {
      dropDisabledPodFields((object as Decoded).spec?.template?.spec);
      generateSelector(object);
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
    defaultDeletion: 'Orphan',
    warnings: workloadWarnings,
    deletionWarnings: (_job, policy) =>
      policy === undefined
        ? [
            'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
          ]
        : [],
  },
);

/**
 * Ties the pods to the job by its uid, which no other job has had. A label the client set is left alone: validation
 * then says that it is not the generated one.
 */
function generateSelector(object: KubeObject): void {
  const spec = (object.spec ??= {}) as Decoded;
  if (spec.manualSelector) return;
  const { metadata } = object;
  spec.template ??= {};
  const template: Decoded = (spec.template.metadata ??= {});
  // A job without labels takes those of its template: they are checked as its own when the client sent some.
  const shared = Object.keys(metadata.labels ?? {}).length === 0 ? template.labels !== undefined : metadata.labels === template.labels;
  const labels: Record<string, string> = { ...template.labels };
  for (const [key, value] of Object.entries(jobLabels(metadata.uid ?? '', metadata.name ?? ''))) labels[key] ??= value;
  template.labels = labels;
  if (shared) metadata.labels = { ...labels };
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels };
  spec.selector.matchLabels['batch.kubernetes.io/controller-uid'] ??= metadata.uid;
}

const jobStatus = kindStrategy(
  {
    namespaced: true,
    validateUpdate: (object, _old, errors) => checkJobStatus(object.status ?? {}, errors),
    onUpdate: ['update', 'validateUpdate'],
  },
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
    warnings(object, old) {
      const templateOf = (value: Decoded | undefined): Decoded | undefined => value?.spec?.jobTemplate?.spec?.template;
      const names = old ? [] : nameWarnings(object.metadata.name, 'used in Pod names and hostnames');
      return [...names, ...templateWarnings(templateOf(object), FieldPath.of('spec', 'jobTemplate', 'spec', 'template'), templateOf(old))];
    },
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
