import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { FieldPath, checkImmutable, checkNonNegative, keepSpec, keepStatus, kindStrategy, nameIsDNSLabel } from '@kubernel/sdk/api';
import { checkDaemonSet, checkDaemonSetStatus } from './validation/daemon-set.ts';
import { checkDeployment, checkDeploymentStatus, checkReplicaSet, checkReplicaSetStatus } from './validation/deployment.ts';
import { checkStatefulSet, checkStatefulSetStatus, checkStatefulSetUpdate } from './validation/stateful-set.ts';

const SELECTOR = FieldPath.of('spec', 'selector');

/** What all workloads do: a generation that counts changes of spec, and a status clients cannot set here. */
const workload: Strategy = {
  generation: true,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: keepStatus,
  resetFields: ['status'],
};

const statusOnly: Strategy = { prepareForUpdate: keepSpec, resetFields: ['spec'] };

const deployment = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkDeployment(object, errors, validation),
    validateUpdate: (object, old, errors) => checkImmutable(object.spec?.selector, old.spec?.selector, SELECTOR, errors),
    onUpdate: ['update', 'validate', 'validateUpdate'],
  },
  workload,
);

const replicaSet = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkReplicaSet(object, errors, validation),
    validateUpdate: (object, old, errors) => checkImmutable(object.spec?.selector, old.spec?.selector, SELECTOR, errors),
    onUpdate: ['meta', 'validate', 'validateUpdate', 'update'],
  },
  workload,
);

const daemonSet = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkDaemonSet(object, errors, validation),
    validateUpdate(object, old, errors) {
      const generation: number = object.spec?.templateGeneration ?? 0;
      const before: number = old.spec?.templateGeneration ?? 0;
      if (generation < before) errors.invalid(FieldPath.of('spec', 'templateGeneration'), generation, 'must not be decremented');
      checkImmutable(object.spec?.selector, old.spec?.selector, SELECTOR, errors);
    },
    onUpdate: ['update', 'validateUpdate', 'validate'],
  },
  workload,
);

const statefulSet = kindStrategy(
  {
    namespaced: true,
    name: nameIsDNSLabel,
    validate: (object, errors, { validation }) => checkStatefulSet(object, errors, validation, validation.old === undefined),
    validateUpdate: (object, old, errors) => checkStatefulSetUpdate(object, old, errors),
    onUpdate: ['update', 'validate', 'validateUpdate'],
  },
  workload,
);

const controllerRevision = kindStrategy({
  namespaced: true,
  validate(object, errors) {
    const data = FieldPath.of('data');
    if (object.data === undefined || object.data === null) errors.required(data, 'data is mandatory');
    else if (typeof object.data !== 'object' || Array.isArray(object.data)) errors.required(data, 'data must be a valid JSON object');
    checkNonNegative(object.revision, FieldPath.of('revision'), errors);
  },
  validateUpdate: (object, old, errors) => checkImmutable(object.data, old.data, FieldPath.of('data'), errors),
  onUpdate: ['update', 'meta', 'validate', 'validateUpdate'],
});

function statusStrategy(check: (status: Decoded, before: Decoded, errors: Parameters<typeof checkReplicaSetStatus>[1]) => void): Strategy {
  return kindStrategy(
    {
      namespaced: true,
      validateUpdate: (object, old, errors) => check(object.status ?? {}, old.status ?? {}, errors),
      onUpdate: ['update', 'validateUpdate'],
    },
    statusOnly,
  );
}

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  controllerrevisions: controllerRevision,
  daemonsets: daemonSet,
  'daemonsets/status': statusStrategy(checkDaemonSetStatus),
  deployments: deployment,
  'deployments/status': statusStrategy(checkDeploymentStatus),
  replicasets: { ...replicaSet, prepareForCreate: startReplicaCount },
  'replicasets/status': statusStrategy((status, _before, errors) => checkReplicaSetStatus(status, errors)),
  statefulsets: { ...statefulSet, prepareForCreate: startReplicaCount },
  'statefulsets/status': statusStrategy(checkStatefulSetStatus),
};

function startReplicaCount(object: KubeObject): void {
  object.status = { replicas: 0 };
}
