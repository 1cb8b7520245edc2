import type { ValidationContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  byteLength,
  checkEnumPointer,
  checkImmutable,
  checkNonNegative,
  checkQualifiedName,
  dns1123Subdomain,
  FieldPath,
  goJson,
  IMMUTABLE,
  nameIsDNSSubdomain,
  PrintedValue,
  semanticEqual,
  tryQuantity,
  validateLabelSelector,
} from '@kubernel/sdk/api';

/** CSI drivers, what nodes and storages say of them, and volume attachments. */

const SPEC = FieldPath.of('spec');
const MAX_DRIVER_NAME = 63;
const MAX_NODE_ID = 256;
const MAX_METADATA_BYTES = 256 * 1024;
const MAX_ERROR_BYTES = 1024;

function checkDriverName(name: string, path: FieldPath, errors: FieldErrors): void {
  if (name === '') {
    errors.required(path);
    return;
  }
  if (byteLength(name) > MAX_DRIVER_NAME) errors.tooLong(path, MAX_DRIVER_NAME);
  errors.invalidEach(path, name, dns1123Subdomain(name.toLowerCase()));
}

export function checkDriver(object: Decoded, errors: FieldErrors): void {
  const spec: Decoded = object.spec ?? {};
  for (const field of ['attachRequired', 'podInfoOnMount', 'storageCapacity']) if (spec[field] == null) errors.required(SPEC.child(field));
  const policy = SPEC.child('fsGroupPolicy');
  if (spec.fsGroupPolicy == null) errors.required(policy);
  else checkEnumPointer(spec.fsGroupPolicy, policy, errors, ['File', 'None', 'ReadWriteOnceWithFSType']);
  checkTokenRequests(spec.tokenRequests ?? [], SPEC.child('tokenRequests'), errors);
  for (const mode of spec.volumeLifecycleModes ?? [])
    checkEnumPointer(mode, SPEC.child('volumeLifecycleModes'), errors, ['Ephemeral', 'Persistent']);
  if (spec.seLinuxMount == null) errors.required(SPEC.child('seLinuxMount'));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period != null && period < 10)
    errors.invalid(SPEC.child('nodeAllocatableUpdatePeriodSeconds'), period, 'must be greater than or equal to 10 seconds');
}

function checkTokenRequests(requests: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience = '', expirationSeconds: seconds }, i) => {
    const at = path.index(i);
    if (audiences.has(audience)) errors.duplicate(at.child('audience'), audience);
    audiences.add(audience);
    if (seconds == null) return;
    if (seconds < 600) errors.invalid(at.child('expirationSeconds'), seconds, 'may not specify a duration less than 10 minutes');
    if (seconds > 2 ** 32) errors.invalid(at.child('expirationSeconds'), seconds, 'may not specify a duration larger than 2^32 seconds');
  });
}

export function checkDriverUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  checkImmutable(object.spec?.attachRequired, old.spec?.attachRequired, SPEC.child('attachedRequired'), errors);
  checkImmutable(object.spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes, SPEC.child('volumeLifecycleModes'), errors);
}

export function checkCsiNode(object: Decoded, errors: FieldErrors): void {
  const names = new Set<string>();
  (object.spec?.drivers ?? []).forEach((driver: Decoded, i: number) => {
    const at = SPEC.child('drivers').index(i);
    const { name = '', nodeID = '' } = driver;
    checkDriverName(name, at.child('name'), errors);
    if (nodeID === '') errors.required(at.child('nodeID'));
    else if (byteLength(nodeID) > MAX_NODE_ID) errors.invalid(at.child('nodeID'), nodeID, `must be ${MAX_NODE_ID} characters or less`);
    checkNonNegative(driver.allocatable?.count, at.child('allocatable', 'count'), errors);
    if (names.has(name)) errors.duplicate(at.child('name'), name);
    names.add(name);
    const keys: string[] = driver.topologyKeys ?? [];
    keys.forEach((key, j) => {
      if (key === '') errors.required(at);
      if (keys.indexOf(key) < j) errors.duplicate(at, key);
      checkQualifiedName(key, at, errors);
    });
  });
}

/** What a driver says of a node may be added and removed, but not changed, but for how many volumes it takes. */
export function checkCsiNodeUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  const before = new Map<string, Decoded>((old.spec?.drivers ?? []).map((driver: Decoded) => [driver.name, driver]));
  for (const driver of (object.spec?.drivers ?? []) as Decoded[]) {
    const known = before.get(driver.name);
    if (!known) continue;
    const rest = ({ name, nodeID, topologyKeys }: Decoded): unknown => [name, nodeID, topologyKeys];
    if (semanticEqual(rest(driver), rest(known)) && semanticEqual(driver.allocatable, known.allocatable)) continue;
    const { name, nodeID, topologyKeys = null, allocatable } = driver;
    const printed = {
      Name: name,
      NodeID: nodeID,
      TopologyKeys: topologyKeys,
      Allocatable: allocatable ? { Count: allocatable.count ?? null } : null,
    };
    errors.invalid(FieldPath.of('CSINode.Spec'), new PrintedValue(goJson(printed)), IMMUTABLE);
  }
}

export function checkCapacity(object: Decoded, errors: FieldErrors): void {
  if (object.nodeTopology) validateLabelSelector(object.nodeTopology, FieldPath.of('nodeTopology'), errors);
  const name: string = object.storageClassName ?? '';
  errors.invalidEach(FieldPath.of('storageClassName'), name, nameIsDNSSubdomain(name, false));
  for (const field of ['capacity', 'maximumVolumeSize']) {
    const value = object[field];
    if (value != null && (tryQuantity(value)?.sign ?? 0) < 0)
      errors.invalid(FieldPath.of(field), value, 'must be greater than or equal to 0');
  }
}

export function checkCapacityUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  for (const field of ['nodeTopology', 'storageClassName']) checkImmutable(object[field], old[field], FieldPath.of(field), errors);
}

export function checkAttachment(object: Decoded, errors: FieldErrors, context: ValidationContext, isNew: boolean): void {
  const { attacher = '', source, nodeName = '' } = object.spec ?? {};
  const volume = source?.persistentVolumeName;
  const inline = source?.inlineVolumeSpec;
  const at = SPEC.child('source');
  if (!attacher) errors.required(SPEC.child('attacher'));
  if (volume == null && inline == null) errors.required(at, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName');
  else if (volume != null && inline != null) errors.forbidden(at, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName');
  else if (inline) context.validate('core.v1.PersistentVolumeSpec#inline', inline, at.child('inlineVolumeSpec'), errors);
  else if (volume === '') errors.required(at.child('persistentVolumeName'), 'must specify non empty persistentVolumeName');
  errors.invalidEach(SPEC.child('nodeName'), nodeName, nameIsDNSSubdomain(nodeName, false));
  checkAttachmentStatus(object.status ?? {}, FieldPath.of('status'), errors);
  if (!isNew) return;
  if (attacher) checkDriverName(attacher, SPEC.child('attacher'), errors);
  if (volume != null) errors.invalidEach(at.child('persistentVolumeName'), volume, nameIsDNSSubdomain(volume, false));
}

function checkAttachmentStatus(status: Decoded, path: FieldPath, errors: FieldErrors): void {
  let size = 0;
  for (const [key, value] of Object.entries(status.attachmentMetadata ?? {})) size += byteLength(key) + byteLength(String(value));
  if (size > MAX_METADATA_BYTES) errors.tooLong(path.child('attachmentMetadata'), MAX_METADATA_BYTES);
  for (const field of ['attachError', 'detachError']) {
    if (byteLength(status[field]?.message ?? '') > MAX_ERROR_BYTES) errors.tooLong(path.child(field, 'message'), MAX_ERROR_BYTES);
  }
}

export function checkAttachmentUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  if (semanticEqual(object.spec, old.spec)) return;
  const { attacher = '', nodeName = '', source = {} } = object.spec ?? {};
  const { persistentVolumeName = null, inlineVolumeSpec = null } = source;
  const printed = {
    Attacher: attacher,
    Source: { PersistentVolumeName: persistentVolumeName, InlineVolumeSpec: inlineVolumeSpec },
    NodeName: nodeName,
  };
  errors.invalid(SPEC, new PrintedValue(goJson(printed)), IMMUTABLE);
}
