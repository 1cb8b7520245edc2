import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { eachContainer } from './container-visit.ts';
import { checkDescendingPath } from './paths.ts';

/** Annotations that mean something to pods: most of them older forms of what are fields now. */

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

export const isMirrorPod = (pod: Decoded): boolean => pod.metadata?.annotations?.[MIRROR] !== undefined;

export function checkPodAnnotations(
  annotations: Record<string, string> | undefined,
  spec: Decoded,
  path: FieldPath,
  errors: FieldErrors,
): void {
  const all = annotations ?? {};
  const mirror = all[MIRROR];
  if (mirror !== undefined && !spec.nodeName)
    errors.invalid(path.key(MIRROR), mirror, 'must set spec.nodeName if mirror pod annotation is set');
  const cost = all[DELETION_COST];
  if (cost !== undefined && !isInt32(cost)) errors.invalid(path.key(DELETION_COST), cost, 'must be a 32bit integer');
  const ofPod = all[SECCOMP_POD];
  if (ofPod !== undefined) checkSeccomp(ofPod, path.child(SECCOMP_POD), errors);
  for (const [key, value] of Object.entries(all)) if (key.startsWith(SECCOMP_CONTAINER)) checkSeccomp(value, path.child(key), errors);
  const names = new Set<string>();
  eachContainer(spec, path, (container) => names.add(container.name ?? ''));
  for (const [key, value] of Object.entries(all)) {
    if (!key.startsWith(APPARMOR)) continue;
    const name = key.slice(APPARMOR.length);
    if (!names.has(name)) errors.invalid(path.key(key), name, 'container not found');
    if (!['', 'runtime/default', 'unconfined'].includes(value) && !value.startsWith('localhost/')) {
      errors.invalid(path.key(key), value, `invalid AppArmor profile name: ${JSON.stringify(value)}`);
    }
  }
}

function isInt32(text: string): boolean {
  if (text === '') return true;
  if (!/^(0|[1-9]\d*|-[1-9]\d*)$/.test(text)) return false;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 31;
}

function checkSeccomp(profile: string, path: FieldPath, errors: FieldErrors): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return;
  if (profile.startsWith('localhost/')) checkDescendingPath(profile.slice('localhost/'.length), path, errors);
  else errors.invalid(path, profile, 'must be a valid seccomp profile');
}

/** On update: the annotations of a mirror pod and of AppArmor stay as they were. */
export function checkPodAnnotationUpdates(pod: Decoded, old: Decoded, path: FieldPath, errors: FieldErrors): void {
  const before: Record<string, string> = old.metadata?.annotations ?? {};
  const after: Record<string, string> = pod.metadata?.annotations ?? {};
  for (const [key, value] of Object.entries(before)) {
    if (after[key] === value) continue;
    if (key.startsWith(APPARMOR)) errors.forbidden(path.key(key), 'may not remove or update AppArmor annotations');
    if (key === MIRROR) errors.forbidden(path.key(key), 'may not remove or update mirror pod annotation');
  }
  for (const key of Object.keys(after)) {
    if (key in before) continue;
    if (key.startsWith(APPARMOR)) errors.forbidden(path.key(key), 'may not add AppArmor annotations');
    if (key === MIRROR) errors.forbidden(path.key(key), 'may not add mirror pod annotation');
  }
  checkPodAnnotations(pod.metadata?.annotations, pod.spec ?? {}, path, errors);
}

/** Where a profile is given by annotation and by field, they must say the same. */
export function checkProfilesAgree(meta: Decoded, spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const annotations: Record<string, string> = meta.annotations ?? {};
  const ofPod = spec.securityContext?.seccompProfile;
  if (ofPod) compareProfile('seccomp', annotations[SECCOMP_POD], ofPod, path.child('securityContext', 'seccompProfile'), errors);
  eachContainer(spec, path, (container, at) => {
    const own = container.securityContext?.seccompProfile;
    if (own)
      compareProfile(
        'seccomp',
        annotations[SECCOMP_CONTAINER + (container.name ?? '')],
        own,
        at.child('securityContext', 'seccompProfile'),
        errors,
      );
  });
  if (spec.os?.name === 'windows') return;
  eachContainer(spec, path, (container, at) => {
    const own = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (own)
      compareProfile(
        'apparmor',
        annotations[APPARMOR + (container.name ?? '')],
        own,
        at.child('securityContext', 'appArmorProfile'),
        errors,
      );
  });
}

function compareProfile(
  what: 'seccomp' | 'apparmor',
  annotation: string | undefined,
  profile: Decoded,
  path: FieldPath,
  errors: FieldErrors,
): void {
  if (annotation === undefined) return;
  const typeDiffers = (): void => errors.forbidden(path.child('type'), `${what} type in annotation and field must match`);
  if (profile.type === 'Unconfined') {
    if (annotation !== 'unconfined') typeDiffers();
  } else if (profile.type === 'RuntimeDefault') {
    if (annotation !== 'runtime/default' && !(what === 'seccomp' && annotation === 'docker/default')) typeDiffers();
  } else if (profile.type === 'Localhost') {
    if (!annotation.startsWith('localhost/')) typeDiffers();
    else if (annotation.slice('localhost/'.length) !== profile.localhostProfile) {
      errors.forbidden(path.child('localhostProfile'), `${what} profile in annotation and field must match`);
    }
  }
}
