import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { FieldPath, outsideRange, semanticEqual, validateObjectMeta, validateObjectMetaUpdate } from '@kubernel/sdk/api';
import { checkTolerations } from './affinity.ts';
import { checkImageSpaces } from './containers.ts';
import { goDifference } from './go-form.ts';
import { checkPodAnnotations, checkPodAnnotationUpdates, checkProfilesAgree } from './pod-annotations.ts';
import { checkPodSpec } from './pod-spec.ts';

/** Pods as they are created and updated through the main endpoint. */

const METADATA = FieldPath.of('metadata');
const SPEC = FieldPath.of('spec');

export function checkPodMetaAndSpec(pod: Decoded, errors: FieldErrors): void {
  const spec: Decoded = pod.spec ?? {};
  validateObjectMeta(pod.metadata, { namespaced: true, kubeFinalizers: true }, errors);
  checkPodAnnotations(pod.metadata.annotations, spec, METADATA.child('annotations'), errors);
  checkPodSpec(spec, SPEC, errors, { isPod: true, podName: pod.metadata.name });
  if (!spec.serviceAccountName) {
    (spec.volumes ?? []).forEach((volume: Decoded, i: number) => {
      (volume.projected?.sources ?? []).forEach((source: Decoded, j: number) => {
        if (!source.serviceAccountToken) return;
        const at = SPEC.child('volumes').index(i).child('projected', 'sources').index(j).child('serviceAccountToken');
        errors.forbidden(at, 'must not be specified when serviceAccountName is not set');
      });
    });
  }
  for (const list of ['containers', 'initContainers'] as const) {
    (spec[list] ?? []).forEach((container: Decoded, i: number) => {
      checkImageSpaces(container, SPEC.child(list).index(i), errors);
    });
  }
}

export function checkNewPod(pod: Decoded, errors: FieldErrors): void {
  checkPodMetaAndSpec(pod, errors);
  const spec: Decoded = pod.spec ?? {};
  if (spec.ephemeralContainers?.length) errors.forbidden(SPEC.child('ephemeralContainers'), 'cannot be set on create');
  if (spec.nodeName && spec.schedulingGates?.length)
    errors.forbidden(SPEC.child('nodeName'), 'cannot be set until all schedulingGates have been cleared');
  checkProfilesAgree(pod.metadata, spec, SPEC, errors);
}

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

export function checkPodUpdate(pod: Decoded, old: Decoded, errors: FieldErrors): void {
  validateObjectMetaUpdate(pod.metadata, old.metadata, errors, { kubeFinalizers: true });
  checkPodMetaAndSpec(pod, errors);
  checkPodAnnotationUpdates(pod, old, METADATA.child('annotations'), errors);
  const spec: Decoded = pod.spec ?? {};
  const before: Decoded = { ...old.spec };
  // An older name of serviceAccountName, which clients and conversions keep in step.
  delete before.serviceAccount;
  for (const list of ['containers', 'initContainers'] as const) if (!checkSameContainers(spec, before, list, errors)) return;
  if (!checkDeadline(spec, before, errors)) return;
  checkOnlyAddedTolerations(spec.tolerations ?? [], before.tolerations ?? [], errors);
  checkOnlyRemovedGates(spec.schedulingGates ?? [], before.schedulingGates ?? [], errors);
  const difference = comparableSpec(spec, before, errors);
  if (!semanticEqual(difference, before)) {
    errors.forbidden(
      SPEC,
      `pod updates may not change fields other than ${UPDATABLE}\n${goDifference('core.v1.PodSpec', before, difference)}`,
    );
  }
}

function checkSameContainers(spec: Decoded, before: Decoded, list: 'containers' | 'initContainers', errors: FieldErrors): boolean {
  const now: Decoded[] = spec[list] ?? [];
  if (now.length !== (before[list] ?? []).length) {
    errors.forbidden(SPEC.child(list), 'pod updates may not add or remove containers');
    return false;
  }
  now.forEach((container, i) => {
    if (!container.image) errors.required(SPEC.child(list).index(i).child('image'));
    checkImageSpaces(container, SPEC.child(list).index(i), errors);
  });
  return true;
}

/** It may be set once and lowered later. */
function checkDeadline(spec: Decoded, before: Decoded, errors: FieldErrors): boolean {
  const at = SPEC.child('activeDeadlineSeconds');
  const { activeDeadlineSeconds: now } = spec;
  const { activeDeadlineSeconds: then } = before;
  if (now === undefined) {
    if (then !== undefined) errors.invalid(at, undefined, 'must not update from a positive integer to nil value');
    return true;
  }
  if (now < 0 || now > 2147483647) errors.invalid(at, now, outsideRange(0, 2147483647));
  else if (then !== undefined && then < now) errors.invalid(at, now, 'must be less than or equal to previous value');
  else return true;
  return false;
}

function checkOnlyAddedTolerations(now: readonly Decoded[], then: readonly Decoded[], errors: FieldErrors): void {
  const at = SPEC.child('tolerations');
  const kept = then.every((old) =>
    now.some((toleration) => semanticEqual({ ...old, tolerationSeconds: toleration.tolerationSeconds }, toleration)),
  );
  if (kept) checkTolerations(now, at, errors);
  else errors.forbidden(at, 'existing toleration can not be modified except its tolerationSeconds');
}

function checkOnlyRemovedGates(now: readonly Decoded[], then: readonly Decoded[], errors: FieldErrors): void {
  now.forEach(({ name = '' }, i) => {
    if (then.some((gate) => (gate.name ?? '') === name)) return;
    errors.forbidden(
      SPEC.child('schedulingGates').index(i).child('name'),
      `only deletion is allowed, but found new scheduling gate '${name}'`,
    );
  });
}

/** The new spec with everything that may change set back to what it was; what may change only so far is checked here. */
function comparableSpec(spec: Decoded, before: Decoded, errors: FieldErrors): Decoded {
  const copy: Decoded = { ...spec };
  for (const list of ['containers', 'initContainers'] as const) {
    if (copy[list]) copy[list] = copy[list].map((container: Decoded, i: number) => ({ ...container, image: before[list]?.[i]?.image }));
  }
  delete copy.serviceAccount;
  copy.activeDeadlineSeconds = before.activeDeadlineSeconds;
  copy.schedulingGates = before.schedulingGates;
  copy.tolerations = before.tolerations;
  if (before.terminationGracePeriodSeconds < 0 && copy.terminationGracePeriodSeconds === 1) {
    copy.terminationGracePeriodSeconds = before.terminationGracePeriodSeconds;
  }
  if (before.schedulingGates?.length) {
    checkGatedSelector(copy, before, errors);
    checkGatedAffinity(copy, before, errors);
  }
  return copy;
}

/** A pod that still waits at a gate may be narrowed down (KEP-3838): more node labels, more required terms. */
function checkGatedSelector(copy: Decoded, before: Decoded, errors: FieldErrors): void {
  if (semanticEqual(copy.nodeSelector, before.nodeSelector)) return;
  const kept = Object.entries(before.nodeSelector ?? {}).every(([key, value]) => copy.nodeSelector?.[key] === value);
  if (!kept) {
    errors.invalid(
      SPEC.child('nodeSelector'),
      copy.nodeSelector,
      'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    );
  }
  copy.nodeSelector = before.nodeSelector;
}

function checkGatedAffinity(copy: Decoded, before: Decoded, errors: FieldErrors): void {
  const now = copy.affinity?.nodeAffinity;
  const then = before.affinity?.nodeAffinity;
  if (semanticEqual(now, then)) return;
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const terms: Decoded[] = then?.[required]?.nodeSelectorTerms ?? [];
  if (then?.[required]) {
    const at = SPEC.child('affinity', 'nodeAffinity', required, 'nodeSelectorTerms');
    const newTerms: Decoded[] = now?.[required]?.nodeSelectorTerms ?? [];
    if (terms.length > 0 && newTerms.length !== terms.length) {
      errors.invalid(at, newTerms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed');
    } else {
      terms.forEach((term, i) => {
        for (const field of ['matchExpressions', 'matchFields']) {
          const kept = (term[field] ?? []).every((item: unknown, j: number) => semanticEqual(item, newTerms[i]?.[field]?.[j]));
          if (!kept) errors.invalid(at.index(i), newTerms[i], 'only additions are allowed (no mutations or deletions)');
        }
      });
    }
  }
  const rest = { ...copy.affinity };
  if (then === undefined) delete rest.nodeAffinity;
  else rest.nodeAffinity = then;
  copy.affinity = Object.keys(rest).length ? rest : before.affinity;
}
