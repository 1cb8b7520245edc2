import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkNonNegative, FieldPath, selectorOfMap } from '@kubernel/sdk/api';
import { checkPodTemplate } from './pod-template.ts';

const SPEC = FieldPath.of('spec');

export function checkReplicationController(controller: Decoded, errors: FieldErrors): void {
  const spec: Decoded = controller.spec ?? {};
  checkNonNegative(spec.minReadySeconds, SPEC.child('minReadySeconds'), errors);
  const selector: Record<string, string> = spec.selector ?? {};
  const at = SPEC.child('template');
  if (Object.keys(selector).length === 0) errors.required(SPEC.child('selector'));
  if (spec.replicas === undefined) errors.required(SPEC.child('replicas'));
  else checkNonNegative(spec.replicas, SPEC.child('replicas'), errors);
  const template = spec.template;
  if (!template) {
    errors.required(at);
    return;
  }
  const labels = template.metadata?.labels;
  if (Object.keys(selector).length && !selectorOfMap(selector).matches(labels)) {
    errors.invalid(at.child('metadata', 'labels'), labels, '`selector` does not match template `labels`');
  }
  checkPodTemplate(template, at, errors);
  if (template.spec?.restartPolicy !== 'Always')
    errors.notSupported(at.child('spec', 'restartPolicy'), template.spec?.restartPolicy ?? '', ['Always']);
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.forbidden(at.child('spec', 'activeDeadlineSeconds'), 'activeDeadlineSeconds in ReplicationController is not Supported');
  }
}

/** Counts in a status: none negative, and none more than those it is part of. */
export function checkReplicaStatus(status: Decoded, errors: FieldErrors, fields: readonly string[]): void {
  const at = FieldPath.of('status');
  for (const field of ['replicas', ...fields, 'observedGeneration']) checkNonNegative(status[field], at.child(field), errors);
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const field of fields) {
    if ((status[field] ?? 0) > replicas) errors.invalid(at.child(field), status[field] ?? 0, 'cannot be greater than status.replicas');
  }
  if (availableReplicas > readyReplicas)
    errors.invalid(at.child('availableReplicas'), availableReplicas, 'cannot be greater than readyReplicas');
}
