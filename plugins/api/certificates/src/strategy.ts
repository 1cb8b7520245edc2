import type { Strategy, StrategyContext } from '@kubernel/sdk';
import type { Decoded } from '@kubernel/sdk/api';
import { keepSpec, kindStrategy, nameIsPathSegment } from '@kubernel/sdk/api';
import { checkCertificate, checkDecisions, checkSigningRequest } from './validation/signing-request.ts';

const rules = { namespaced: false, name: nameIsPathSegment, validate: checkSigningRequest } satisfies Parameters<typeof kindStrategy>[0];

/** Who asks is who is logged in, whatever the request says. */
function signAs(object: Decoded, { user }: StrategyContext): void {
  object.spec ??= {};
  const { spec } = object;
  for (const field of ['username', 'uid', 'groups', 'extra']) delete spec[field];
  spec.username = user.name;
  if (user.uid) spec.uid = user.uid;
  if (user.groups?.length) spec.groups = [...user.groups];
  if (user.extra && Object.keys(user.extra).length) spec.extra = structuredClone(user.extra);
}

/** New conditions are dated now; those that did not change their status keep when they did. */
function dateConditions(object: Decoded, old: Decoded): void {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  for (const condition of object.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    if (condition.lastTransitionTime) continue;
    const before = (old.status?.conditions ?? []).find(
      (known: Decoded) => known.type === condition.type && known.status === condition.status,
    );
    condition.lastTransitionTime = before?.lastTransitionTime ?? now;
  }
}

const request = kindStrategy(
  {
    ...rules,
    validateUpdate: (object, old, errors) => checkDecisions(object, old, errors, []),
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  {
    prepareForCreate(object, context) {
      signAs(object, context);
      object.status = {};
    },
    prepareForUpdate(object, old) {
      keepSpec(object, old);
      object.status = structuredClone((old as Decoded).status ?? {});
    },
    resetFields: ['spec', 'status'],
  },
);

const status = kindStrategy(
  {
    ...rules,
    validateUpdate(object, old, errors) {
      checkDecisions(object, old, errors, ['Failed']);
      checkCertificate(object, old, errors);
    },
    onUpdate: ['meta', 'validate', 'validateUpdate', 'update'],
  },
  {
    prepareForUpdate(object, old) {
      keepSpec(object, old);
      dateConditions(object, old);
    },
    resetFields: ['spec'],
  },
);

const approval = kindStrategy(
  {
    ...rules,
    validateUpdate: (object, old, errors) => checkDecisions(object, old, errors, ['Approved', 'Denied', 'Failed']),
    onUpdate: ['meta', 'validate', 'validateUpdate', 'update'],
  },
  {
    prepareForUpdate(object: Decoded, old: Decoded) {
      keepSpec(object as never, old as never);
      object.status ??= {};
      if (old.status?.certificate === undefined) delete object.status.certificate;
      else object.status.certificate = old.status.certificate;
      dateConditions(object, old);
    },
    resetFields: ['spec', 'status.certificate'],
  },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  certificatesigningrequests: request,
  'certificatesigningrequests/approval': approval,
  'certificatesigningrequests/status': status,
};
