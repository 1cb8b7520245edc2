import { randomUUID } from 'node:crypto';
import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import {
  checkImmutable,
  FieldPath,
  keepSpec,
  keepStatus,
  kindStrategy,
  nameIsDNSLabel,
  qualifiedName,
  templateWarnings,
  workloadWarnings,
} from '@kubernel/sdk/api';
import { secretWarnings } from './secret-warnings.ts';
import { eventStrategy } from './strategy-event.ts';
import { podEphemeralContainersStrategy, podResizeStrategy, podStatusStrategy, podStrategy } from './strategy-pod.ts';
import { serviceStatusStrategy, serviceStrategy } from './strategy-service.ts';
import { claimStatusStrategy, claimStrategy, quotaStatusStrategy, volumeStatusStrategy, volumeStrategy } from './strategy-storage.ts';
import { checkConfigMap, checkImmutableData, checkSecret } from './validation/config.ts';
import { checkEndpoints } from './validation/endpoints.ts';
import { checkNode, checkNodeUpdate } from './validation/node.ts';
import { checkPodTemplate } from './validation/pod-template.ts';
import { checkLimitRange, checkQuota } from './validation/quota.ts';
import { checkReplicaStatus, checkReplicationController } from './validation/replication-controller.ts';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

const configMap = kindStrategy({
  namespaced: true,
  validate: (map, errors) => checkConfigMap(map, errors),
  validateUpdate: (map, old, errors) => checkImmutableData(map, old, errors, ['data', 'binaryData']),
  onUpdate: ['update', 'validateUpdate', 'meta', 'validate'],
});

const secret = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors) => checkSecret(object, errors),
    validateUpdate(object, old, errors) {
      checkImmutable(object.type, old.type, FieldPath.of('type'), errors, object.type ?? '');
      checkImmutableData(object, old, errors, ['data']);
    },
    onUpdate: ['update', 'validateUpdate', 'meta', 'validate'],
  },
  {
    prepareForUpdate(object, old) {
      if (!object.type) object.type = old.type;
    },
    warnings: secretWarnings,
  },
);

const serviceAccount = kindStrategy(
  { namespaced: true, onUpdate: ['update', 'meta'] },
  { prepareForCreate: keepSecretNames, prepareForUpdate: keepSecretNames },
);

function keepSecretNames(account: KubeObject): void {
  const secrets = account.secrets as Decoded[] | undefined;
  if (secrets) account.secrets = secrets.map(({ name }) => (name ? { name } : {}));
}

const namespace = kindStrategy(
  {
    namespaced: false,
    name: nameIsDNSLabel,
    validate(object, errors) {
      for (const finalizer of object.spec?.finalizers ?? []) {
        errors.invalidEach(SPEC.child('finalizers'), finalizer, qualifiedName(finalizer));
        checkFinalizer(finalizer, SPEC.child('finalizers'), errors);
      }
    },
    onUpdate: ['meta', 'validate', 'update'],
  },
  {
    finalizers: (object) => (object.spec as { finalizers?: string[] } | undefined)?.finalizers ?? [],
    beginDeletion(object) {
      object.status = { ...(object.status as object | undefined), phase: 'Terminating' };
      delete object.metadata.deletionGracePeriodSeconds; // a namespace has no grace, not even none
    },
    prepareForCreate(object) {
      object.status = { phase: 'Active' };
      const spec = (object.spec ??= {}) as { finalizers?: string[] };
      if (!spec.finalizers?.includes('kubernetes')) spec.finalizers = [...(spec.finalizers ?? []), 'kubernetes'];
      labelWithName(object);
    },
    prepareForUpdate(object, old) {
      keepSpec(object, old);
      keepStatus(object, old);
      labelWithName(object);
    },
    resetFields: ['status'],
  },
);

function checkFinalizer(finalizer: string, path: FieldPath, errors: import('@kubernel/sdk/api').FieldErrors): void {
  if (!finalizer.includes('/') && !['kubernetes', 'orphan', 'foregroundDeletion'].includes(finalizer)) {
    errors.invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
  }
}

function labelWithName({ metadata }: KubeObject): void {
  metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name ?? '' };
}

const namespaceStatus = kindStrategy(
  {
    namespaced: false,
    validateUpdate(object, _old, errors) {
      const phase = object.status?.phase ?? '';
      const deleting = !!object.metadata.deletionTimestamp;
      if (!deleting && phase !== 'Active')
        errors.invalid(STATUS.child('Phase'), phase, "may only be 'Active' if `deletionTimestamp` is empty");
      if (deleting && phase !== 'Terminating')
        errors.invalid(STATUS.child('Phase'), phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
    },
    onUpdate: ['update', 'validateUpdate'],
  },
  { prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

const namespaceFinalize = kindStrategy(
  {
    namespaced: false,
    validateUpdate(object, _old, errors) {
      (object.spec?.finalizers ?? []).forEach((finalizer: string, i: number) => {
        const at = SPEC.child('finalizers').index(i);
        errors.invalidEach(at, finalizer, qualifiedName(finalizer));
        checkFinalizer(finalizer, at, errors);
      });
    },
    onUpdate: ['update', 'validateUpdate'],
  },
  { prepareForUpdate: keepStatus, resetFields: ['status'] },
);

const node = kindStrategy(
  {
    namespaced: false,
    validate: (object, errors) => checkNode(object, errors),
    validateUpdate: (object, old, errors) => checkNodeUpdate(object, old, errors),
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  {
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
    warnings: ({ spec }) =>
      (spec as Decoded | undefined)?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : [],
  },
);

const nodeStatus = kindStrategy(
  {
    namespaced: false,
    validateUpdate: (object, old, errors) => checkNodeUpdate(object, old, errors),
    onUpdate: ['update', 'validateUpdate'],
  },
  {
    prepareForUpdate(object, old) {
      keepSpec(object, old);
      // configuration through the API is gone from upstream; what an object had before stays
      if (!(old.status as { config?: unknown } | undefined)?.config) delete (object.status as { config?: unknown } | undefined)?.config;
    },
    resetFields: ['spec'],
  },
);

const podTemplate = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors) => checkPodTemplate(object.template ?? {}, FieldPath.of('template'), errors),
    onUpdate: ['update', 'validate'],
  },
  {
    createOnUpdate: true,
    generation: true,
    generationOf: (object) => object.template,
    warnings: (object, old) =>
      templateWarnings((object as Decoded).template, FieldPath.of('template'), (old as Decoded | undefined)?.template),
  },
);

const replicationController = kindStrategy(
  {
    namespaced: true,
    nameOnly: true,
    validate: (object, errors) => checkReplicationController(object, errors),
    onUpdate: ['update', 'validate'],
  },
  {
    generation: true,
    prepareForCreate(object) {
      object.status = { replicas: 0 };
    },
    prepareForUpdate: keepStatus,
    warnings: workloadWarnings,
    resetFields: ['status'],
    defaultDeletion: 'Orphan',
  },
);

const replicationControllerStatus = kindStrategy(
  {
    namespaced: true,
    validateUpdate: (object, _old, errors) =>
      checkReplicaStatus(object.status ?? {}, errors, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']),
    onUpdate: ['update', 'validateUpdate'],
  },
  { prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

const endpoints = kindStrategy(
  { namespaced: true, validate: (object, errors) => checkEndpoints(object, errors), onUpdate: ['update', 'meta', 'validate'] },
  { createOnUpdate: true },
);

const limitRange = kindStrategy(
  { namespaced: true, validate: (object, errors) => checkLimitRange(object, errors), onUpdate: ['meta', 'validate'] },
  {
    createOnUpdate: true,
    prepareForCreate({ metadata }) {
      metadata.name ||= randomUUID();
    },
  },
);

const resourceQuota = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors) => checkQuota(object, errors),
    validateUpdate(object, old, errors) {
      const now = [...new Set<string>(object.spec?.scopes ?? [])].sort();
      const then = [...new Set<string>(old.spec?.scopes ?? [])].sort();
      if (now.join() !== then.join()) errors.invalid(SPEC.child('scopes'), object.spec?.scopes, 'field is immutable');
    },
    onUpdate: ['update', 'validate', 'validateUpdate'],
  },
  {
    prepareForCreate(object) {
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
  },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  configmaps: configMap,
  endpoints,
  events: eventStrategy,
  limitranges: limitRange,
  namespaces: namespace,
  'namespaces/finalize': namespaceFinalize,
  'namespaces/status': namespaceStatus,
  nodes: node,
  'nodes/status': nodeStatus,
  persistentvolumeclaims: claimStrategy,
  'persistentvolumeclaims/status': claimStatusStrategy,
  persistentvolumes: volumeStrategy,
  'persistentvolumes/status': volumeStatusStrategy,
  pods: podStrategy,
  'pods/ephemeralcontainers': podEphemeralContainersStrategy,
  'pods/resize': podResizeStrategy,
  'pods/status': podStatusStrategy,
  podtemplates: podTemplate,
  replicationcontrollers: replicationController,
  'replicationcontrollers/status': replicationControllerStatus,
  resourcequotas: resourceQuota,
  'resourcequotas/status': quotaStatusStrategy,
  secrets: secret,
  serviceaccounts: serviceAccount,
  services: serviceStrategy,
  'services/status': serviceStatusStrategy,
};
