import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import {
  byteLength,
  checkDnsLabel,
  checkEnumPointer,
  checkName,
  checkRequired,
  dns1123Subdomain,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  outsideRange,
} from '@kubernel/sdk/api';
import { checkDescendingPath, checkFileMode, checkFilePath, checkNoBacksteps } from './paths.ts';

/** Volume sources that pods and persistent volumes share, or nearly so. */

export type SourceCheck = (source: Decoded, path: FieldPath, errors: FieldErrors) => void;

/** A source whose only rule is which strings must be there. */
const requires =
  (...fields: string[]): SourceCheck =>
  (source, path, errors) => {
    for (const field of fields) if (!source[field] || source[field].length === 0) errors.required(path.child(field));
  };

/** A reference to a secret by name, and by namespace too for persistent volumes. */
function checkSecretRef(ref: Decoded | undefined, path: FieldPath, errors: FieldErrors, withNamespace: boolean): void {
  if (!ref) return;
  if (!ref.name) errors.required(path.child('name'));
  if (withNamespace && !ref.namespace) errors.required(path.child('namespace'));
}

const partition = (source: Decoded, path: FieldPath, errors: FieldErrors): void => {
  const value = source.partition ?? 0;
  if (value < 0 || value > 255) errors.invalid(path.child('partition'), value, outsideRange(1, 255));
};

export const gcePersistentDisk: SourceCheck = (source, path, errors) => {
  checkRequired(source.pdName, path.child('pdName'), errors);
  partition(source, path, errors);
};

export const awsElasticBlockStore: SourceCheck = (source, path, errors) => {
  checkRequired(source.volumeID, path.child('volumeID'), errors);
  partition(source, path, errors);
};

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

export const hostPath: SourceCheck = (source, path, errors) => {
  if (!checkRequired(source.path, path.child('path'), errors)) return;
  checkNoBacksteps(source.path, path.child('path'), errors);
  checkEnumPointer(source.type, path.child('type'), errors, HOST_PATH_TYPES);
};

export const gitRepo: SourceCheck = (source, path, errors) => {
  checkRequired(source.repository, path.child('repository'), errors);
  checkDescendingPath(source.directory ?? '', path.child('directory'), errors);
};

export const nfs: SourceCheck = (source, path, errors) => {
  checkRequired(source.server, path.child('server'), errors);
  checkRequired(source.path, path.child('path'), errors);
  if (!(source.path ?? '').startsWith('/')) errors.invalid(path.child('path'), source.path ?? '', 'must be an absolute path');
};

const IQN = /^iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/;
const EUI = /^eui.[A-Fa-f0-9]{16}$/;
const NAA = /^naa.[A-Fa-f0-9]{32}$/;

/** An iSCSI name. `both` for initiators: those are told about a wrong start and nothing else. */
function checkIscsiName(name: string, path: FieldPath, errors: FieldErrors, startMessage: string): void {
  const pattern = name.startsWith('iqn') ? IQN : name.startsWith('eui') ? EUI : name.startsWith('naa') ? NAA : undefined;
  if (!pattern) errors.invalid(path, name, startMessage);
  else if (!pattern.test(name)) errors.invalid(path, name, 'must be valid format');
}

const ISCSI_NAME_TOO_LONG =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

/** `volumeName` of a persistent volume, which upstream checks inside the source; pods check theirs beside it. */
export const iscsi =
  (persistent: boolean, volumeName = ''): SourceCheck =>
  (source, path, errors) => {
    const start = persistent ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa';
    checkRequired(source.targetPortal, path.child('targetPortal'), errors);
    if (persistent && iscsiNameTooLong(source, volumeName))
      errors.invalid(path.child('targetportal'), source.targetPortal ?? '', ISCSI_NAME_TOO_LONG);
    if (checkRequired(source.iqn, path.child('iqn'), errors)) checkIscsiName(source.iqn, path.child('iqn'), errors, start);
    const lun = source.lun ?? 0;
    if (lun < 0 || lun > 255) errors.invalid(path.child('lun'), lun, outsideRange(0, 255));
    if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) errors.required(path.child('secretRef'));
    if (persistent && source.secretRef && !source.secretRef.name) errors.required(path.child('secretRef', 'name'));
    if (source.initiatorName !== undefined) checkIscsiName(source.initiatorName, path.child('initiatorname'), errors, start);
  };

export const iscsiNameTooLong = (source: Decoded, volumeName: string): boolean =>
  source.initiatorName !== undefined && byteLength(`${volumeName}:${source.targetPortal ?? ''}`) > 64;

export function checkPodIscsiName(source: Decoded, volumeName: string, path: FieldPath, errors: FieldErrors): void {
  if (iscsiNameTooLong(source, volumeName)) errors.invalid(path.child('name'), volumeName, ISCSI_NAME_TOO_LONG);
}

export const fc: SourceCheck = (source, path, errors) => {
  const names = source.targetWWNs ?? [];
  const ids = source.wwids ?? [];
  if (names.length === 0 && ids.length === 0)
    errors.required(path.child('targetWWNs'), 'must specify either targetWWNs or wwids, but not both');
  if (names.length && ids.length)
    errors.invalid(path.child('targetWWNs'), names, 'targetWWNs and wwids can not be specified simultaneously');
  if (names.length === 0) return;
  if (source.lun === undefined) errors.required(path.child('lun'), 'lun is required if targetWWNs is specified');
  else if (source.lun < 0 || source.lun > 255) errors.invalid(path.child('lun'), source.lun, outsideRange(0, 255));
};

export const glusterfs =
  (persistent: boolean): SourceCheck =>
  (source, path, errors) => {
    requires('endpoints', 'path')(source, path, errors);
    const namespace = source.endpointsNamespace;
    if (!persistent || namespace === undefined) return;
    const at = path.child('endpointsNamespace');
    if (namespace === '') errors.invalid(at, namespace, 'if the endpointnamespace is set, it must be a valid namespace name');
    else errors.invalidEach(at, namespace, nameIsDNSLabel(namespace, false));
  };

export const flocker: SourceCheck = (source, path, errors) => {
  const { datasetName = '', datasetUUID = '' } = source;
  if (!datasetName && !datasetUUID) errors.required(path, 'one of datasetName and datasetUUID is required');
  if (datasetName && datasetUUID) errors.invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously');
  if (datasetName.includes('/')) errors.invalid(path.child('datasetName'), datasetName, "must not contain '/'");
};

export const quobyte: SourceCheck = (source, path, errors) => {
  const { registry = '', tenant = '' } = source;
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (!registry) errors.required(path.child('registry'), pairs);
  else if (byteLength(tenant) >= 65) errors.required(path.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters');
  else for (const pair of registry.split(',')) if (!isHostPort(pair)) errors.invalid(path.child('registry'), registry, pairs);
  checkRequired(source.volume, path.child('volume'), errors);
};

const isHostPort = (text: string): boolean => /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text);

export const rbd: SourceCheck = requires('monitors', 'image');
export const cephfs: SourceCheck = requires('monitors');
export const vsphereVolume: SourceCheck = requires('volumePath');
export const photonPersistentDisk: SourceCheck = requires('pdID');
export const portworxVolume: SourceCheck = requires('volumeID');
export const scaleIO: SourceCheck = requires('gateway', 'system', 'volumeName');

export const cinder =
  (persistent: boolean): SourceCheck =>
  (source, path, errors) => {
    checkRequired(source.volumeID, path.child('volumeID'), errors);
    checkSecretRef(source.secretRef, path.child('secretRef'), errors, persistent);
  };

export const flexVolume: SourceCheck = (source, path, errors) => {
  checkRequired(source.driver, path.child('driver'), errors);
  for (const key of Object.keys(source.options ?? {})) {
    const namespace = `.${(key.split('/', 1)[0] ?? '').toLowerCase()}`;
    if (namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io')) {
      errors.invalid(path.child('options').key(key), key, 'kubernetes.io and k8s.io namespaces are reserved');
    }
  }
};

export const azureFile =
  (persistent: boolean): SourceCheck =>
  (source, path, errors) => {
    requires('secretName', 'shareName')(source, path, errors);
    if (persistent && source.secretNamespace === '') errors.required(path.child('secretNamespace'));
  };

const AZURE_MANAGED = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const AZURE_BLOB = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export const azureDisk: SourceCheck = (source, path, errors) => {
  const { diskURI = '', kind } = source;
  requires('diskName', 'diskURI')(source, path, errors);
  checkEnumPointer(source.cachingMode, path.child('cachingMode'), errors, ['None', 'ReadOnly', 'ReadWrite']);
  checkEnumPointer(kind, path.child('kind'), errors, ['Dedicated', 'Managed', 'Shared']);
  if (kind === undefined) return;
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) errors.notSupported(path.child('diskURI'), diskURI, [AZURE_MANAGED]);
  if (kind !== 'Managed' && !diskURI.startsWith('https://')) errors.notSupported(path.child('diskURI'), diskURI, [AZURE_BLOB]);
};

export const storageos =
  (persistent: boolean): SourceCheck =>
  (source, path, errors) => {
    if (checkRequired(source.volumeName, path.child('volumeName'), errors))
      checkDnsLabel(source.volumeName, path.child('volumeName'), errors);
    if (source.volumeNamespace) checkDnsLabel(source.volumeNamespace, path.child('volumeNamespace'), errors);
    checkSecretRef(source.secretRef, path.child('secretRef'), errors, persistent);
  };

export const local: SourceCheck = (source, path, errors) => {
  if (checkRequired(source.path, path.child('path'), errors)) checkNoBacksteps(source.path, path.child('path'), errors);
};

export function checkCsiDriverName(name: string | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!checkRequired(name, path, errors)) return;
  const text = name ?? '';
  if (byteLength(text) > 63) errors.tooLong(path, 63);
  errors.invalidEach(path, text, dns1123Subdomain(text.toLowerCase()));
}

export const csi: SourceCheck = (source, path, errors) => {
  checkCsiDriverName(source.driver, path.child('driver'), errors);
  const ref = source.nodePublishSecretRef;
  if (!ref) return;
  if (!ref.name) errors.required(path.child('nodePublishSecretRef', 'name'));
  else errors.invalidEach(path.child('name'), ref.name, nameIsDNSSubdomain(ref.name, false));
};

const CSI_SECRETS = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'];

export const persistentCsi: SourceCheck = (source, path, errors) => {
  checkCsiDriverName(source.driver, path.child('driver'), errors);
  checkRequired(source.volumeHandle, path.child('volumeHandle'), errors);
  for (const field of CSI_SECRETS) {
    const ref = source[field];
    if (!ref) continue;
    checkName(ref.name, path.child(field, 'name'), errors, nameIsDNSSubdomain);
    checkName(ref.namespace, path.child(field, 'namespace'), errors, nameIsDNSLabel);
  }
};

/** items of config map and secret volumes. */
export function checkKeyToPath(item: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkRequired(item.key, path.child('key'), errors);
  checkRequired(item.path, path.child('path'), errors);
  checkFilePath(item.path ?? '', path.child('path'), errors);
  checkFileMode(item.mode, path.child('mode'), errors);
}

export const keyedFiles =
  (nameField: 'secretName' | 'name'): SourceCheck =>
  (source, path, errors) => {
    checkRequired(source[nameField], path.child(nameField), errors);
    checkFileMode(source.defaultMode, path.child('defaultMode'), errors);
    (source.items ?? []).forEach((item: Decoded, i: number) => {
      checkKeyToPath(item, path.child('items').index(i), errors);
    });
  };
