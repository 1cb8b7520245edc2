import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkEnum,
  checkRequired,
  checkSignerName,
  FieldErrors as Errors,
  goJson,
  nameIsDNSSubdomain,
  PrintedValue,
  tryQuantity,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
} from '@kubernel/sdk/api';
import { PULL_POLICIES } from './containers.ts';
import { checkDownwardFile } from './downward-api.ts';
import { checkFileMode, checkFilePath } from './paths.ts';
import { checkClaimSpec } from './persistent-volume-claim.ts';
import { clusterTrustBundleNameMessages } from './signer-names.ts';
import type { SourceCheck } from './volume-sources.ts';
import * as source from './volume-sources.ts';

/** Volumes of a pod. Options of the pod reach the sources that ask for its name. */

const emptyDir: SourceCheck = (value, path, errors) => {
  if ((tryQuantity(value.sizeLimit)?.sign ?? 0) < 0)
    errors.forbidden(path.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity');
};

const downwardAPI: SourceCheck = (value, path, errors) => {
  checkFileMode(value.defaultMode, path.child('defaultMode'), errors);
  for (const file of value.items ?? []) checkDownwardFile(file, path, errors);
};

const image: SourceCheck = (value, path, errors) => {
  checkRequired(value.reference, path.child('reference'), errors);
  checkEnum(value.pullPolicy, path.child('pullPolicy'), errors, PULL_POLICIES);
};

const persistentVolumeClaim: SourceCheck = (value, path, errors) => {
  checkRequired(value.claimName, path.child('claimName'), errors);
};

const projected: SourceCheck = (value, path, errors) => {
  checkFileMode(value.defaultMode, path.child('defaultMode'), errors);
  const paths = new Set<string>();
  const take = (target: string, printed: string): void => {
    if (paths.has(target)) errors.invalid(path, printed, 'conflicting duplicate paths');
    paths.add(target);
  };
  (value.sources ?? []).forEach((item: Decoded, i: number) => {
    const at = path.child('sources').index(i);
    let count = 0;
    for (const kind of ['secret', 'configMap'] as const) {
      if (!item[kind]) continue;
      count++;
      checkKeyedProjection(item[kind], at.child(kind), errors, take);
    }
    if (item.downwardAPI) {
      count++;
      for (const file of item.downwardAPI.items ?? []) {
        checkDownwardFile(file, at.child('downwardAPI'), errors);
        if (file.path) take(file.path, file.path);
      }
    }
    if (item.serviceAccountToken) {
      count++;
      checkTokenProjection(item.serviceAccountToken, at.child('serviceAccountToken'), path, errors);
    }
    if (item.clusterTrustBundle) {
      count++;
      checkTrustBundle(item.clusterTrustBundle, at.child('clusterTrustBundle'), errors);
      take(item.clusterTrustBundle.path ?? '', item.clusterTrustBundle.path ?? '');
    }
    if (item.podCertificate) {
      count++;
      checkPodCertificate(item.podCertificate, at.child('podCertificate'), errors, take);
    }
    if (count > 1) errors.forbidden(at, 'may not specify more than 1 volume type per source');
  });
};

function checkKeyedProjection(value: Decoded, path: FieldPath, errors: FieldErrors, take: (target: string, printed: string) => void): void {
  checkRequired(value.name, path.child('name'), errors);
  (value.items ?? []).forEach((item: Decoded, i: number) => {
    source.checkKeyToPath(item, path.child('items').index(i), errors);
    if (item.path) take(item.path, value.name ?? '');
  });
}

function checkTokenProjection(token: Decoded, path: FieldPath, volumePath: FieldPath, errors: FieldErrors): void {
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < 600) errors.invalid(path.child('expirationSeconds'), seconds, 'may not specify a duration less than 10 minutes');
  if (seconds > 2 ** 32) errors.invalid(path.child('expirationSeconds'), seconds, 'may not specify a duration larger than 2^32 seconds');
  if (checkRequired(token.path, volumePath.child('path'), errors)) checkFilePath(token.path, volumePath.child('path'), errors);
}

function checkTrustBundle(bundle: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { name, signerName, labelSelector } = bundle;
  if (name !== undefined && signerName !== undefined) {
    const printed = {
      Name: name,
      SignerName: signerName,
      LabelSelector: labelSelector ?? null,
      Optional: bundle.optional ?? null,
      Path: bundle.path ?? '',
    };
    errors.invalid(path, new PrintedValue(goJson(printed)), 'only one of name and signerName may be used');
  } else if (name !== undefined) {
    if (name === '') errors.required(path.child('name'), 'must be a valid object name');
    for (const message of clusterTrustBundleNameMessages(name))
      errors.invalid(path.child('name'), name, `not a valid clustertrustbundlename: ${message}`);
    if (labelSelector) errors.invalid(path.child('labelSelector'), labelSelector, 'labelSelector must be unset if name is specified');
  } else if (signerName !== undefined) {
    if (signerName === '') errors.required(path.child('signerName'), 'must be a valid signer name');
    checkSignerName(signerName, path.child('signerName'), errors);
    validateLabelSelector(labelSelector, path.child('labelSelector'), errors);
  } else {
    errors.required(path, 'either name or signerName must be specified');
  }
  checkRequired(bundle.path, path.child('path'), errors);
  checkFilePath(bundle.path ?? '', path.child('path'), errors);
}

const KEY_TYPES = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096'];

function checkPodCertificate(value: Decoded, path: FieldPath, errors: FieldErrors, take: (target: string, printed: string) => void): void {
  checkSignerName(value.signerName ?? '', path.child('signerName'), errors);
  if (!KEY_TYPES.includes(value.keyType ?? '')) errors.notSupported(path.child('keyType'), value.keyType ?? '', KEY_TYPES);
  const lifetime = value.maxExpirationSeconds;
  if (lifetime !== undefined) {
    if (lifetime < 3600) errors.invalid(path.child('maxExpirationSeconds'), lifetime, 'if provided, maxExpirationSeconds must be >= 3600');
    if (lifetime > 7862400)
      errors.invalid(path.child('maxExpirationSeconds'), lifetime, 'if provided, maxExpirationSeconds must be <= 7862400');
  }
  const files = ['credentialBundlePath', 'keyPath', 'certificateChainPath'].filter((field) => value[field]);
  if (files.length === 0) errors.required(path, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath');
  for (const field of files) {
    checkFilePath(value[field], path.child(field), errors);
    take(value[field], value[field]);
  }
}

/** A claim that is made for the pod and dies with it. */
function checkEphemeral(value: Decoded, path: FieldPath, errors: FieldErrors): void {
  const template = value.volumeClaimTemplate;
  const at = path.child('volumeClaimTemplate');
  if (!template) {
    errors.required(at);
    return;
  }
  const meta = template.metadata ?? {};
  validateAnnotations(meta.annotations, at.child('metadata', 'annotations'), errors);
  validateLabels(meta.labels, at.child('metadata', 'labels'), errors);
  for (const field of Object.keys(meta)) {
    if (field === 'annotations' || field === 'labels' || !meta[field] || meta[field].length === 0) continue;
    errors.forbidden(at.child('metadata', field), 'cannot be set');
  }
  checkClaimSpec(template.spec ?? {}, at.child('spec'), errors);
}

/** In upstream's order, with the two names upstream gives some of them in paths: of the field's checks, of the conflict. */
const SOURCES: readonly [key: string, check: SourceCheck, path?: string, conflict?: string][] = [
  ['emptyDir', emptyDir],
  ['hostPath', source.hostPath],
  ['gitRepo', source.gitRepo],
  ['gcePersistentDisk', source.gcePersistentDisk, 'persistentDisk'],
  ['awsElasticBlockStore', source.awsElasticBlockStore],
  ['secret', source.keyedFiles('secretName')],
  ['nfs', source.nfs],
  ['iscsi', source.iscsi(false)],
  ['glusterfs', source.glusterfs(false)],
  ['flocker', source.flocker],
  ['persistentVolumeClaim', persistentVolumeClaim],
  ['rbd', source.rbd],
  ['cinder', source.cinder(false)],
  ['cephfs', source.cephfs, 'cephfs', 'cephFS'],
  ['quobyte', source.quobyte],
  ['downwardAPI', downwardAPI, 'downwardAPI', 'downwarAPI'],
  ['fc', source.fc],
  ['flexVolume', source.flexVolume],
  ['configMap', source.keyedFiles('name')],
  ['azureFile', source.azureFile(false)],
  ['vsphereVolume', source.vsphereVolume],
  ['photonPersistentDisk', source.photonPersistentDisk],
  ['portworxVolume', source.portworxVolume],
  ['azureDisk', source.azureDisk],
  ['storageos', source.storageos(false)],
  ['projected', projected],
  ['scaleIO', source.scaleIO],
  ['csi', source.csi],
  ['ephemeral', checkEphemeral],
  ['image', image],
];

function checkSource(volume: Decoded, path: FieldPath, errors: FieldErrors, podName: string | undefined): void {
  let found = false;
  for (const [key, check, checkPath, conflictPath] of SOURCES) {
    const value = volume[key];
    if (value === undefined || value === null) continue;
    if (found) {
      errors.forbidden(path.child(conflictPath ?? key), 'may not specify more than 1 volume type');
    } else {
      found = true;
      check(value, path.child(checkPath ?? key), errors);
      if (key === 'ephemeral' && podName && volume.name) checkEphemeralName(volume.name, podName, path, errors);
    }
    if (key === 'iscsi') source.checkPodIscsiName(value, volume.name ?? '', path, errors);
  }
  if (!found) errors.required(path, 'must specify a volume type');
}

function checkEphemeralName(volumeName: string, podName: string, path: FieldPath, errors: FieldErrors): void {
  const claim = `${podName}-${volumeName}`;
  for (const message of nameIsDNSSubdomain(claim, false)) errors.invalid(path.child('name'), volumeName, `PVC name "${claim}": ${message}`);
}

/** Checks the volumes and returns the valid ones by name: only those can be mounted. */
export function checkVolumes(
  volumes: readonly Decoded[],
  path: FieldPath,
  errors: FieldErrors,
  podName: string | undefined,
): Map<string, Decoded> {
  const valid = new Map<string, Decoded>();
  const made = new Set(podName ? volumes.filter((volume) => volume.ephemeral).map((volume) => `${podName}-${volume.name ?? ''}`) : []);
  volumes.forEach((volume, i) => {
    const at = path.index(i);
    const own = new Errors();
    checkSource(volume, at, own, podName);
    if (!volume.name) own.required(at.child('name'));
    else checkDnsLabel(volume.name, at.child('name'), own);
    if (valid.has(volume.name ?? '')) own.duplicate(at.child('name'), volume.name ?? '');
    if (own.empty) valid.set(volume.name ?? '', volume);
    errors.list.push(...own.list);
    const claim = volume.persistentVolumeClaim?.claimName ?? '';
    if (volume.persistentVolumeClaim && made.has(claim)) {
      errors.invalid(
        at.child('persistentVolumeClaim', 'claimName'),
        claim,
        'must not reference a PVC that gets created for an ephemeral volume',
      );
    }
  });
  return valid;
}
