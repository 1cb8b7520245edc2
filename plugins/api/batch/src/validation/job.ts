import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors, Selector } from '@kubernel/sdk/api';
import {
  byteLength,
  checkDomainPrefixedPath,
  checkImmutable,
  checkNonNegative,
  dns1123Label,
  FieldPath,
  OMIT_VALUE,
  selectorOf,
  semanticEqual,
  validateLabelSelector,
} from '@kubernel/sdk/api';
import { checkFailurePolicy, checkSuccessPolicy } from './job-policies.ts';

/** Jobs (https://kubernetes.io/docs/concepts/workloads/controllers/job/). */

const SPEC = FieldPath.of('spec');
const MANY = 100_000;

function parsed(selector: Decoded | undefined): Selector | undefined {
  try {
    return selectorOf(selector);
  } catch {
    return undefined;
  }
}

export const isIndexed = (spec: Decoded): boolean => spec.completionMode === 'Indexed';

/** What jobs and the templates of cron jobs have in common. */
export function checkJobSpec(spec: Decoded, path: FieldPath, errors: FieldErrors, context: ValidationContext): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ]) {
    checkNonNegative(spec[field], path.child(field), errors);
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.required(path.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified');
  }
  if (spec.managedBy !== undefined) {
    checkDomainPrefixedPath(spec.managedBy, path.child('managedBy'), errors);
    if (byteLength(spec.managedBy) > 63) errors.tooLong(path.child('managedBy'), 63);
  }
  checkCompletionMode(spec, path, errors);
  if (spec.podFailurePolicy) checkFailurePolicy(spec, path.child('podFailurePolicy'), errors);
  if (spec.successPolicy) {
    if (isIndexed(spec)) checkSuccessPolicy(spec, path.child('successPolicy'), errors);
    else errors.invalid(path.child('successPolicy'), OMIT_VALUE, 'requires indexed completion mode');
  }
  checkReplacementPolicy(spec, path.child('podReplacementPolicy'), errors);
  const template = path.child('template');
  context.validate('core.v1.PodTemplateSpec', spec.template ?? {}, template, errors);
  const policy = spec.template?.spec?.restartPolicy ?? '';
  const at = template.child('spec', 'restartPolicy');
  if (policy === '' || policy === 'Always') errors.required(at, 'valid values: "OnFailure", "Never"');
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.notSupported(at, policy, ['OnFailure', 'Never']);
  else if (spec.podFailurePolicy && policy !== 'Never')
    errors.invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified');
}

function checkCompletionMode(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { completionMode: mode, completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex } = spec;
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed')
    errors.notSupported(path.child('completionMode'), mode, ['NonIndexed', 'Indexed']);
  if (mode === 'Indexed') {
    if (completions === undefined) errors.required(path.child('completions'), 'when completion mode is Indexed');
    if (parallelism > MANY)
      errors.invalid(path.child('parallelism'), parallelism, `must be less than or equal to ${MANY} when completion mode is Indexed`);
    if (failed > completions) errors.invalid(path.child('maxFailedIndexes'), failed, 'must be less than or equal to completions');
    if (failed > MANY) errors.invalid(path.child('maxFailedIndexes'), failed, `must be less than or equal to ${MANY}`);
    if (completions > MANY && backoffLimitPerIndex !== undefined) {
      const beyond = `must be less than or equal to 10000 when completions are above ${MANY} and used with backoff limit per index`;
      if (failed === undefined) errors.required(path.child('maxFailedIndexes'), `must be specified when completions is above ${MANY}`);
      if (parallelism > 10_000) errors.invalid(path.child('parallelism'), parallelism, beyond);
      if (failed > 10_000) errors.invalid(path.child('maxFailedIndexes'), failed, beyond);
    }
  }
  if (mode === undefined || mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
      if (spec[field] !== undefined) errors.invalid(path.child(field), spec[field], 'requires indexed completion mode');
    }
  }
}

function checkReplacementPolicy(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return;
  const choices = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  if (!choices.includes(policy)) errors.notSupported(path, policy, choices);
}

export function checkJob(job: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = job.spec ?? {};
  checkGeneratedSelector(job, spec, errors);
  checkJobSpecWithSelector(spec, errors, context);
  if (!isIndexed(spec) || !(spec.completions > 0)) return;
  const podName = `${job.metadata.name ?? ''}-${spec.completions - 1}`;
  for (const message of dns1123Label(podName)) {
    errors.invalid(
      FieldPath.of('metadata', 'name'),
      job.metadata.name ?? '',
      `will not able to create pod with invalid DNS label ${podName}: ${message}`,
    );
  }
}

function checkJobSpecWithSelector(spec: Decoded, errors: FieldErrors, context: ValidationContext): void {
  checkJobSpec(spec, SPEC, errors, context);
  const at = SPEC.child('selector');
  if (!spec.selector) errors.required(at);
  else validateLabelSelector(spec.selector, at, errors);
  const selector = parsed(spec.selector);
  const labels = spec.template?.metadata?.labels;
  if (selector && !selector.matches(labels)) {
    errors.invalid(SPEC.child('template', 'metadata', 'labels'), labels, '`selector` does not match template `labels`');
  }
}

/** Labels that tie pods to their job; the prefixed ones came later. */
export const jobLabels = (uid: string, name: string): Record<string, string> => ({
  'controller-uid': uid,
  'job-name': name,
  'batch.kubernetes.io/controller-uid': uid,
  'batch.kubernetes.io/job-name': name,
});

function checkGeneratedSelector(job: Decoded, spec: Decoded, errors: FieldErrors): void {
  if (spec.manualSelector || !spec.selector) return;
  const { uid = '', name = '' } = job.metadata;
  if (!uid) errors.required(FieldPath.of('metadata', 'uid'));
  const expected = jobLabels(uid, name);
  const labels: Record<string, string> = spec.template?.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(expected)) {
    const at = SPEC.child('template', 'metadata', 'labels').key(key);
    if (labels[key] === undefined) errors.required(at, `must be '${value}'`);
    else if (labels[key] !== value) errors.invalid(at, labels, `must be '${value}'`);
  }
  const selector = parsed(spec.selector);
  if (selector && !selector.matches(expected)) errors.invalid(SPEC.child('selector'), spec.selector, '`selector` not auto-generated');
}

/** Fields that never change, but for what a suspended job may still be moved by (KEP-2926) and elastic indexed jobs (KEP-3715). */
export function checkJobUpdate(job: Decoded, old: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const spec: Decoded = job.spec ?? {};
  const before: Decoded = old.spec ?? {};
  checkJobSpecWithSelector(spec, errors, context);
  if (!isIndexed(spec)) checkImmutable(spec.completions, before.completions, SPEC.child('completions'), errors);
  else if (!semanticEqual(spec.completions, before.completions) && spec.completions !== spec.parallelism) {
    errors.invalid(SPEC.child('completions'), spec.completions, 'can only be modified in tandem with spec.parallelism');
  }
  checkImmutable(spec.selector, before.selector, SPEC.child('selector'), errors);
  checkTemplateUpdate(spec, before, old.status ?? {}, errors, context);
  for (const field of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy']) {
    checkImmutable(spec[field], before[field], SPEC.child(field), errors);
  }
}

function checkTemplateUpdate(spec: Decoded, before: Decoded, status: Decoded, errors: FieldErrors, context: ValidationContext): void {
  const value: Decoded = spec.template ?? {};
  const old: Decoded = before.template ?? {};
  if (!before.suspend || status.startTime) {
    context.validate('core.v1.PodTemplateSpec#immutable', { value, old }, SPEC.child('template'), errors);
    return;
  }
  const now: Decoded = value.spec ?? {};
  const then: Decoded = { ...old.spec };
  for (const field of ['nodeSelector', 'tolerations', 'schedulingGates']) then[field] = now[field];
  if (now.affinity?.nodeAffinity || then.affinity?.nodeAffinity)
    then.affinity = { ...then.affinity, nodeAffinity: now.affinity?.nodeAffinity };
  for (const list of ['containers', 'initContainers']) {
    then[list] = then[list]?.map((container: Decoded, i: number) => ({ ...container, resources: now[list]?.[i]?.resources }));
  }
  context.validate('core.v1.PodSpec#immutable', { value: now, old: then }, SPEC.child('template', 'spec'), errors);
}

export function checkJobStatus(status: Decoded, errors: FieldErrors): void {
  const at = FieldPath.of('status');
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating']) checkNonNegative(status[field], at.child(field), errors);
}
