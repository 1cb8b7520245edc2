import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkRequired } from '@kubernel/sdk/api';
import { checkDescendingPath } from './paths.ts';

/** volumeMounts and volumeDevices of a container, against the pod's valid volumes and against each other. */

export function checkVolumeMounts(container: Decoded, path: FieldPath, errors: FieldErrors, volumes: ReadonlyMap<string, Decoded>): void {
  const devices: Decoded[] = container.volumeDevices ?? [];
  const deviceNames = new Set(devices.map((device) => device.name ?? ''));
  const devicePaths = new Set(devices.map((device) => device.devicePath ?? ''));
  const seen = new Set<string>();
  (container.volumeMounts ?? []).forEach((mount: Decoded, i: number) => {
    const at = path.index(i);
    const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = mount;
    checkRequired(name, at.child('name'), errors);
    const volume = volumes.get(name);
    if (!volume) errors.notFound(at.child('name'), name);
    checkRequired(mountPath, at.child('mountPath'), errors);
    if (seen.has(mountPath)) errors.invalid(at.child('mountPath'), mountPath, 'must be unique');
    seen.add(mountPath);
    if (deviceNames.has(name)) errors.invalid(at.child('name'), name, 'must not already exist in volumeDevices');
    if (devicePaths.has(mountPath)) errors.invalid(at.child('mountPath'), mountPath, 'must not already exist as a path in volumeDevices');
    if (subPath) checkDescendingPath(subPath, path.child('subPath'), errors);
    if (subPathExpr) {
      if (subPath) errors.invalid(at.child('subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive');
      checkDescendingPath(subPathExpr, path.child('subPathExpr'), errors);
    }
    if (mount.mountPropagation !== undefined) checkPropagation(mount.mountPropagation, container, path.child('mountPropagation'), errors);
    if (mount.recursiveReadOnly !== undefined) checkRecursiveReadOnly(mount, path.child('recursiveReadOnly'), errors);
  });
}

function checkPropagation(mode: string, container: Decoded, path: FieldPath, errors: FieldErrors): void {
  const supported = ['Bidirectional', 'HostToContainer', 'None'];
  if (!supported.includes(mode)) errors.notSupported(path, mode, supported);
  if (mode === 'Bidirectional' && container.securityContext?.privileged !== true) {
    errors.forbidden(path, 'Bidirectional mount propagation is available only to privileged containers');
  }
}

function checkRecursiveReadOnly(mount: Decoded, path: FieldPath, errors: FieldErrors): void {
  const mode = mount.recursiveReadOnly;
  if (mode === 'Disabled') return;
  if (mode !== 'Enabled' && mode !== 'IfPossible') {
    errors.notSupported(path, mode, ['Disabled', 'Enabled', 'IfPossible']);
    return;
  }
  if (!mount.readOnly) errors.forbidden(path, 'may only be specified when readOnly is true');
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    errors.forbidden(path, 'may only be specified when mountPropagation is None or not specified');
  }
}

export function checkVolumeDevices(container: Decoded, path: FieldPath, errors: FieldErrors, volumes: ReadonlyMap<string, Decoded>): void {
  const mounts: Decoded[] = container.volumeMounts ?? [];
  const mountNames = new Set(mounts.map((mount) => mount.name ?? ''));
  const mountPaths = new Set(mounts.map((mount) => mount.mountPath ?? ''));
  const names = new Set<string>();
  const paths = new Set<string>();
  (container.volumeDevices ?? []).forEach((device: Decoded, i: number) => {
    const at = path.index(i);
    const { name = '', devicePath = '' } = device;
    const volume = volumes.get(name);
    checkRequired(name, at.child('name'), errors);
    if (names.has(name)) errors.invalid(at.child('name'), name, 'must be unique');
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.invalid(at.child('name'), name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
    }
    if (!volume) errors.notFound(at.child('name'), name);
    checkRequired(devicePath, at.child('devicePath'), errors);
    if (paths.has(devicePath)) errors.invalid(at.child('devicePath'), devicePath, 'must be unique');
    if (devicePath.split('/').includes('..')) errors.invalid(at.child('devicePath'), devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (mountNames.has(name)) errors.invalid(at.child('name'), name, 'must not already exist in volumeMounts');
    if (mountPaths.has(devicePath)) errors.invalid(at.child('devicePath'), devicePath, 'must not already exist as a path in volumeMounts');
    if (name) names.add(name);
  });
}
