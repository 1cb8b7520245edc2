import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { FieldPath, keepSpec, keepStatus, kindStrategy, tryQuantity } from '@kubernel/sdk/api';
import { checkClaimUpdate, checkVolumeSpec, checkVolumeUpdate } from './validation/persistent-volume.ts';
import { checkClaimSpec } from './validation/persistent-volume-claim.ts';
import { checkQuotaAmounts } from './validation/quota.ts';

/** Persistent volumes and claims. */

const SPEC = FieldPath.of('spec');
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

export const claimStrategy: Strategy = {
  ...kindStrategy({
    namespaced: true,
    validate: (claim, errors) => checkClaimSpec(claim.spec ?? {}, SPEC, errors),
    validateUpdate: (claim, old, errors) => checkClaimUpdate(claim, old, errors),
    onUpdate: ['update', 'meta', 'validate', 'validateUpdate'],
  }),
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    alignDataSources(claim);
  },
  prepareForUpdate(claim, old) {
    keepStatus(claim, old);
    alignDataSources(claim);
  },
  warnings: (claim) => storageWarnings(claim),
  resetFields: ['status'],
};

/** dataSource is the older name of dataSourceRef: each is filled in from the other (KEP-2999). */
function alignDataSources(claim: KubeObject): void {
  const spec = (claim.spec ??= {}) as Decoded;
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !['PersistentVolumeClaim', 'VolumeSnapshot'].includes(dataSource.kind) && !dataSourceRef) {
    delete spec.dataSource;
  } else if (dataSource && !dataSourceRef) {
    spec.dataSourceRef = { ...dataSource };
  } else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    spec.dataSource = { ...dataSourceRef };
  }
}

function storageWarnings(claim: KubeObject): string[] {
  const spec = (claim.spec ?? {}) as Decoded;
  const warnings: string[] = [];
  if (claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) {
    warnings.push(
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    );
  }
  const storage = tryQuantity(spec.resources?.requests?.storage);
  if (storage && storage.millis() % 1000 !== 0) {
    warnings.push(`spec.resources.requests[storage]: fractional byte value "${storage}" is invalid, must be an integer`);
  }
  return warnings;
}

export const claimStatusStrategy: Strategy = {
  ...kindStrategy({
    namespaced: true,
    validateUpdate(claim, _old, errors) {
      for (const [name, amount] of Object.entries(claim.status?.capacity ?? {})) {
        const quantity = tryQuantity(amount);
        if (quantity && quantity.sign < 0)
          errors.invalid(FieldPath.of('status', 'capacity').key(name), quantity.value(), 'must be a valid resource quantity');
      }
    },
    onUpdate: ['update', 'validateUpdate'],
  }),
  prepareForUpdate: keepSpec,
  resetFields: ['spec'],
};

export const volumeStrategy: Strategy = {
  ...kindStrategy({
    namespaced: false,
    validate: (volume, errors) => checkVolumeSpec(volume.spec ?? {}, volume.metadata.name ?? '', SPEC, errors),
    validateUpdate: (volume, old, errors) => checkVolumeUpdate(volume, old, errors),
    onUpdate: ['meta', 'validate', 'validateUpdate'],
  }),
  prepareForCreate(volume) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: now() };
  },
  prepareForUpdate: keepStatus,
  warnings: (volume) => volumeWarnings(volume),
  resetFields: ['status'],
};

const DEPRECATED: Readonly<Record<string, string>> = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

function volumeWarnings(volume: KubeObject): string[] {
  const spec = (volume.spec ?? {}) as Decoded;
  const warnings: string[] = [];
  if (volume.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) {
    warnings.push(
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    );
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  }
  for (const [kind, text] of Object.entries(DEPRECATED)) if (spec[kind]) warnings.push(`spec.${kind}: ${text}`);
  const storage = tryQuantity(spec.capacity?.storage);
  if (storage && storage.millis() % 1000 !== 0)
    warnings.push(`spec.capacity[storage]: fractional byte value "${storage}" is invalid, must be an integer`);
  return warnings;
}

export const volumeStatusStrategy: Strategy = {
  ...kindStrategy({ namespaced: false, onUpdate: ['update'] }),
  prepareForUpdate(volume, old) {
    keepSpec(volume, old);
    const status = (volume.status ?? {}) as Decoded;
    const before = (old.status ?? {}) as Decoded;
    if (status.phase !== before.phase && status.lastPhaseTransitionTime === before.lastPhaseTransitionTime)
      status.lastPhaseTransitionTime = now();
  },
  resetFields: ['spec'],
};

export const quotaStatusStrategy: Strategy = {
  ...kindStrategy({
    namespaced: true,
    validateUpdate(quota, _old, errors) {
      for (const field of ['hard', 'used'] as const) checkQuotaAmounts(quota.status?.[field], FieldPath.of('status', field), errors);
    },
    onUpdate: ['update', 'validateUpdate'],
  }),
  prepareForUpdate: keepSpec,
  resetFields: ['spec'],
};
