import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { keepMetadata, keepSpec, keepStatus, kindStrategy, semanticEqual } from '@kubernel/sdk/api';
import {
  checkStorageClass,
  checkStorageClassUpdate,
  checkVolumeAttributesClass,
  checkVolumeAttributesClassUpdate,
} from './validation/classes.ts';
import {
  checkAttachment,
  checkAttachmentUpdate,
  checkCapacity,
  checkCapacityUpdate,
  checkCsiNode,
  checkCsiNodeUpdate,
  checkDriver,
  checkDriverUpdate,
} from './validation/csi.ts';

const storageClass = kindStrategy({
  namespaced: false,
  validate: (object, errors, { validation }) => checkStorageClass(object, errors, validation),
  validateUpdate: checkStorageClassUpdate,
  onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
});

const attributesClass = kindStrategy({
  namespaced: false,
  validate: checkVolumeAttributesClass,
  validateUpdate: checkVolumeAttributesClassUpdate,
  onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
});

const driver = kindStrategy(
  { namespaced: false, validate: checkDriver, validateUpdate: checkDriverUpdate, onUpdate: ['update', 'validateUpdate', 'validate'] },
  {
    unconditionalUpdate: false,
    // Counts changes from none, and only of what drivers are asked to do anew.
    prepareForUpdate(object, old) {
      if (!semanticEqual(object.spec, old.spec)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    warnings({ spec }) {
      const { tokenRequests, serviceAccountTokenInSecrets } = (spec ?? {}) as Decoded;
      const advice = 'if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes';
      return tokenRequests?.length && serviceAccountTokenInSecrets == null ? [`spec.serviceAccountTokenInSecrets is unset; ${advice}`] : [];
    },
  },
);

const node = kindStrategy({
  namespaced: false,
  validate: checkCsiNode,
  validateUpdate: checkCsiNodeUpdate,
  onUpdate: ['meta', 'validate', 'meta', 'validate', 'validateUpdate'],
});

const capacity = kindStrategy(
  {
    namespaced: true,
    validate: checkCapacity,
    validateUpdate: checkCapacityUpdate,
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  { unconditionalUpdate: false },
);

const attachmentRules = {
  namespaced: false,
  validate: (object: Decoded, errors, { validation }) => checkAttachment(object, errors, validation, validation.old === undefined),
  validateUpdate: checkAttachmentUpdate,
  onUpdate: ['meta', 'validate', 'meta', 'validate', 'validateUpdate'],
} satisfies Parameters<typeof kindStrategy>[0];

const attachment = kindStrategy(attachmentRules, {
  prepareForCreate(object) {
    object.status = { attached: false };
  },
  prepareForUpdate: keepStatus,
  resetFields: ['status'],
});

/** Only the status changes here, and who manages it. */
function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  keepSpec(object, old);
  keepMetadata(object, old);
}

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  csidrivers: driver,
  csinodes: node,
  csistoragecapacities: capacity,
  storageclasses: storageClass,
  volumeattachments: attachment,
  'volumeattachments/status': kindStrategy(attachmentRules, { prepareForUpdate: keepAllButStatus, resetFields: ['spec', 'metadata'] }),
  volumeattributesclasses: attributesClass,
};
