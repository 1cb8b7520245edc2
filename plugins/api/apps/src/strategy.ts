import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import {
  checkImmutable,
  checkNonNegative,
  dropDisabledPodFields,
  FieldPath,
  keepSpec,
  keepStatus,
  kindStrategy,
  nameIsDNSLabel,
  semanticEqual,
  templateWarnings,
  workloadWarnings,
} from '@kubernel/sdk/api';
import { checkDaemonSet, checkDaemonSetStatus } from './validation/daemon-set.ts';
import { checkDeployment, checkDeploymentStatus, checkReplicaSet, checkReplicaSetStatus } from './validation/deployment.ts';
import { checkStatefulSet, checkStatefulSetStatus, checkStatefulSetUpdate } from './validation/stateful-set.ts';

const SELECTOR = FieldPath.of('spec', 'selector');

/** What all workloads do: a generation that counts changes of spec, and a status clients cannot set here. */
const workload: Strategy = {
  generation: true,
  prepareForCreate(object) {
    object.status = {};
    dropDisabledPodFields((object as Decoded).spec?.template?.spec);
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old);
    dropDisabledPodFields((object as Decoded).spec?.template?.spec);
  },
  warnings: (object, old) =>
    templateWarnings((object as Decoded).spec?.template, FieldPath.of('spec', 'template'), (old as Decoded | undefined)?.spec?.template),
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
  { ...workload, warnings: workloadWarnings },
);

const replicaSet = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkReplicaSet(object, errors, validation),
    validateUpdate: (object, old, errors) => checkImmutable(object.spec?.selector, old.spec?.selector, SELECTOR, errors),
    onUpdate: ['meta', 'validate', 'validateUpdate', 'update'],
  },
  { ...workload, warnings: workloadWarnings },
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
  {
    ...workload,
    prepareForCreate(object, context) {
      workload.prepareForCreate?.(object, context);
      countTemplates(object, 1);
    },
    prepareForUpdate(object, old, context) {
      workload.prepareForUpdate?.(object, old, context);
      const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 1);
      const isSame = semanticEqual((object.spec as Decoded | undefined)?.template, (old.spec as Decoded | undefined)?.template);
      countTemplates(object, isSame ? before : before + 1);
    },
  },
);

/** Where an older API had a field: how often the template has changed. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function countTemplates({ metadata }: KubeObject, count: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(count) };
}

const statefulSet = kindStrategy(
  {
    namespaced: true,
    name: nameIsDNSLabel,
    validate: (object, errors, { validation }) => checkStatefulSet(object, errors, validation, validation.old === undefined),
    validateUpdate: (object, old, errors) => checkStatefulSetUpdate(object, old, errors),
    onUpdate: ['update', 'validate', 'validateUpdate'],
  },
  {
    ...workload,
    warnings(object, old) {
      const warnings = workload.warnings?.(object, old) ?? [];
      const limit = (object.spec as Decoded | undefined)?.revisionHistoryLimit;
      if (limit < 0)
        warnings.push('spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended');
      return warnings;
    },
  },
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
  statefulsets: {
    ...statefulSet,
    prepareForCreate(object) {
      startReplicaCount(object);
      dropMaxUnavailable(object);
    },
    prepareForUpdate(object, old, context) {
      workload.prepareForUpdate?.(object, old, context);
      dropMaxUnavailable(object);
    },
  },
  'statefulsets/status': statusStrategy(checkStatefulSetStatus),
};

function startReplicaCount(object: KubeObject): void {
  dropDisabledPodFields((object as Decoded).spec?.template?.spec);
  object.status = { replicas: 0 };
}

/** Its feature is off. */
function dropMaxUnavailable(object: KubeObject): void {
  delete (object as Decoded).spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
}
