import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkEnumPointer, checkImmutable, FieldPath, semanticEqual, tryQuantity } from '@kubernel/sdk/api';
import { checkNodeSelector } from './affinity.ts';
import { goDifference } from './go-form.ts';
import { checkAccessModes, checkClassName, VOLUME_MODES } from './persistent-volume-claim.ts';
import * as source from './volume-sources.ts';

/** core.v1.PersistentVolumeSpec. */

const SPEC = FieldPath.of('spec');
const INLINE = 'may not be specified in the context of inline volumes';

/** In upstream's order, with the names it gives them in paths. */
function sources(volumeName: string): readonly [key: string, check: source.SourceCheck, path?: string, conflict?: string][] {
  return [
    ['hostPath', source.hostPath],
    ['gcePersistentDisk', source.gcePersistentDisk, 'persistentDisk'],
    ['awsElasticBlockStore', source.awsElasticBlockStore],
    ['glusterfs', source.glusterfs(true)],
    ['flocker', source.flocker],
    ['nfs', source.nfs],
    ['rbd', source.rbd],
    ['quobyte', source.quobyte],
    ['cephfs', source.cephfs, 'cephfs', 'cephFS'],
    ['iscsi', source.iscsi(true, volumeName)],
    ['cinder', source.cinder(true)],
    ['fc', source.fc],
    ['flexVolume', source.flexVolume],
    ['azureFile', source.azureFile(true)],
    ['vsphereVolume', source.vsphereVolume],
    ['photonPersistentDisk', source.photonPersistentDisk],
    ['portworxVolume', source.portworxVolume],
    ['azureDisk', source.azureDisk],
    ['scaleIO', source.scaleIO],
    ['local', source.local],
    ['storageos', source.storageos(true)],
    ['csi', source.persistentCsi],
  ];
}

export const PERSISTENT_SOURCES: readonly string[] = sources('').map(([key]) => key);

function checkSources(spec: Decoded, volumeName: string, path: FieldPath, errors: FieldErrors): void {
  let found = false;
  for (const [key, check, checkPath, conflictPath] of sources(volumeName)) {
    if (!spec[key]) continue;
    // Upstream lets a flex volume stand beside another.
    if (found && key !== 'flexVolume') {
      errors.forbidden(path.child(conflictPath ?? key), 'may not specify more than 1 volume type');
      continue;
    }
    found = true;
    check(spec[key], path.child(checkPath ?? key), errors);
    if (key === 'local' && !spec.nodeAffinity) errors.required(path.child('nodeAffinity'), 'Local volume requires node affinity');
  }
  if (!found) errors.required(path, 'must specify a volume type');
}

/** `inline`: the volume stands in a VolumeAttachment instead of an object of its own. */
export function checkVolumeSpec(spec: Decoded, volumeName: string, path: FieldPath, errors: FieldErrors, inline = false): void {
  const {
    capacity,
    accessModes = [],
    persistentVolumeReclaimPolicy: reclaim,
    nodeAffinity,
    storageClassName,
    volumeMode,
    volumeAttributesClassName,
  } = spec;
  if (inline) {
    if (spec.claimRef) errors.forbidden(path.child('claimRef'), INLINE);
    if (Object.keys(capacity ?? {}).length) errors.forbidden(path.child('capacity'), INLINE);
    if (!spec.csi) errors.required(path.child('csi'), 'has to be specified in the context of inline volumes');
  }
  if (accessModes.length === 0) errors.required(path.child('accessModes'));
  checkAccessModes(accessModes, path.child('accessModes'), errors);
  if (!inline) checkCapacity(capacity, path.child('capacity'), errors);
  if (reclaim && inline) {
    if (reclaim !== 'Retain')
      errors.forbidden(path.child('persistentVolumeReclaimPolicy'), 'may only be Retain in the context of inline volumes');
  } else if (reclaim) {
    checkEnumPointer(reclaim, path.child('persistentVolumeReclaimPolicy'), errors, ['Delete', 'Recycle', 'Retain']);
  }
  if (nodeAffinity) {
    const at = path.child('nodeAffinity');
    if (inline) errors.forbidden(at, INLINE);
    else if (nodeAffinity.required) checkNodeSelector(nodeAffinity.required, at.child('required'), errors);
    else errors.required(at.child('required'), 'must specify required node constraints');
  }
  checkSources(spec, volumeName, path, errors);
  if (spec.hostPath && reclaim === 'Recycle' && /^\/+(\.?\/+)*\.?$/.test(spec.hostPath.path ?? '')) {
    errors.forbidden(path.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'");
  }
  if (storageClassName) {
    if (inline) errors.forbidden(path.child('storageClassName'), INLINE);
    else checkClassName(storageClassName, path.child('storageClassName'), errors);
  }
  if (volumeMode !== undefined && inline) {
    if (volumeMode !== 'Filesystem')
      errors.forbidden(path.child('volumeMode'), 'may not specify volumeMode other than Filesystem in the context of inline volumes');
  } else {
    checkEnumPointer(volumeMode, path.child('volumeMode'), errors, VOLUME_MODES);
  }
  if (volumeAttributesClassName === undefined) return;
  const at = path.child('volumeAttributesClassName');
  if (volumeAttributesClassName === '') errors.required(at, 'an empty string is disallowed');
  else checkClassName(volumeAttributesClassName, at, errors);
  if (!spec.csi) errors.required(path.child('csi'), 'has to be specified when using volumeAttributesClassName');
}

function checkCapacity(capacity: Record<string, unknown> | undefined, path: FieldPath, errors: FieldErrors): void {
  const names = Object.keys(capacity ?? {});
  if (names.length === 0) errors.required(path);
  if (!names.includes('storage') || names.length > 1) errors.notSupported(path, capacity, ['storage']);
  for (const name of names) {
    const quantity = tryQuantity(capacity?.[name]);
    if (!quantity) continue;
    if (quantity.value() < 0) errors.invalid(path.key(name), quantity.value(), 'must be a valid resource quantity');
    if (quantity.sign <= 0) errors.invalid(path.key(name), quantity.toString(), 'must be greater than zero');
  }
}

export function checkVolumeUpdate(volume: Decoded, old: Decoded, errors: FieldErrors): void {
  const spec: Decoded = { ...volume.spec };
  const before: Decoded = old.spec ?? {};
  if (before.csi && !before.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef) {
    spec.csi = { ...spec.csi, controllerExpandSecretRef: undefined };
  }
  const changed = PERSISTENT_SOURCES.filter((key) => !semanticEqual(spec[key], before[key]));
  if (changed.length) {
    const difference = goDifference('core.v1.PersistentVolumeSpec', before, spec, PERSISTENT_SOURCES);
    errors.forbidden(SPEC.child('persistentvolumesource'), `spec.persistentvolumesource is immutable after creation\n${difference}`);
  }
  checkImmutable(spec.volumeMode, before.volumeMode, FieldPath.of('volumeMode'), errors);
  if (before.nodeAffinity && !semanticEqual(spec.nodeAffinity, before.nodeAffinity)) {
    errors.invalid(FieldPath.of('nodeAffinity'), spec.nodeAffinity, 'field is immutable, except for updating from beta label to GA');
  }
  if (before.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    errors.forbidden(SPEC.child('volumeAttributesClassName'), 'update from non-nil value to nil is forbidden');
  }
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** A claim's spec stays as it was, but for what binding, growing and classes of attributes may change. */
export function checkClaimUpdate(claim: Decoded, old: Decoded, errors: FieldErrors): void {
  const spec: Decoded = { ...claim.spec };
  const before: Decoded = { ...old.spec };
  const oldClass = old.metadata.annotations?.[BETA_CLASS];
  const newClass = claim.metadata.annotations?.[BETA_CLASS];
  if (!before.volumeName) before.volumeName = spec.volumeName;
  if (
    oldClass !== undefined &&
    before.storageClassName === undefined &&
    spec.storageClassName === oldClass &&
    (newClass === undefined || newClass === oldClass)
  ) {
    spec.storageClassName = undefined;
  } else {
    if ((newClass ?? '') !== (oldClass ?? ''))
      errors.invalid(FieldPath.of('metadata', 'annotations', BETA_CLASS), newClass ?? '', 'field is immutable');
    if (
      spec.storageClassName !== undefined &&
      before.storageClassName === undefined &&
      (oldClass === undefined || spec.storageClassName === oldClass)
    ) {
      spec.storageClassName = undefined;
    }
  }
  const bound = claim.status?.phase === 'Bound';
  if (bound && spec.resources?.requests) {
    spec.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage: before.resources?.requests?.storage } };
  }
  if (bound && spec.volumeAttributesClassName !== undefined) spec.volumeAttributesClassName = before.volumeAttributesClassName;
  if (!semanticEqual(spec, before)) {
    const difference = goDifference('core.v1.PersistentVolumeClaimSpec', before, spec);
    errors.forbidden(
      SPEC,
      `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${difference}`,
    );
  }
  checkShrink(claim, old, errors);
  checkImmutable(claim.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of('volumeMode'), errors);
  const attributes = claim.spec?.volumeAttributesClassName;
  if (old.spec?.volumeAttributesClassName !== undefined && attributes !== old.spec.volumeAttributesClassName) {
    const at = SPEC.child('volumeAttributesClassName');
    if (attributes === undefined) errors.forbidden(at, 'update from non-nil value to nil is forbidden');
    else if (attributes === '') errors.forbidden(at, 'update from non-nil value to an empty string is forbidden');
  }
}

/** A request may be lowered again while a resize has not succeeded, but never to what is there already (KEP-1790). */
function checkShrink(claim: Decoded, old: Decoded, errors: FieldErrors): void {
  const now = tryQuantity(claim.spec?.resources?.requests?.storage);
  const then = tryQuantity(old.spec?.resources?.requests?.storage);
  if (!now || !then || now.compare(then) >= 0) return;
  const capacity = tryQuantity(old.status?.capacity?.storage ?? '0');
  if (capacity && now.compare(capacity) <= 0)
    errors.forbidden(SPEC.child('resources', 'requests', 'storage'), 'field can not be less than status.capacity');
}
