import type { Strategy, StrategyContext } from '@kubernel/sdk';
import type { Decoded, FieldErrors, KubeObject } from '@kubernel/sdk/api';
import { dns1123Subdomain, FieldPath, keepSpec, keepStatus, kindStrategy } from '@kubernel/sdk/api';
import { checkClaimSpec, checkClaimStatus, checkSameSpec, checkTemplate } from './validation/claim.ts';
import { checkClass } from './validation/class.ts';
import { checkSlice } from './validation/slice.ts';

const ADMIN_LABEL = 'resource.kubernetes.io/admin-access';

/** Devices that others use already are for namespaces that are marked so. */
function checkAdminAccess(spec: Decoded, path: FieldPath, errors: FieldErrors, { namespace, reader }: StrategyContext): void {
  const requests: Decoded[] = spec.devices?.requests ?? [];
  if (!requests.some(({ exactly }) => exactly?.adminAccess)) return;
  if (reader.get<KubeObject>('', 'namespaces', '', namespace)?.metadata.labels?.[ADMIN_LABEL] === 'true') return;
  requests.forEach(({ exactly }, i) => {
    if (!exactly?.adminAccess) return;
    errors.forbidden(
      path.child('devices', 'requests').index(i).child('adminAccess'),
      `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`,
    );
  });
}

const SPEC = FieldPath.of('spec');

const claim = kindStrategy(
  {
    namespaced: true,
    validate(object, errors, context) {
      checkAdminAccess(object.spec ?? {}, SPEC, errors, context);
      checkClaimSpec(object.spec ?? {}, SPEC, errors);
    },
    validateUpdate: (object, old, errors) => checkSameSpec('resource.v1.ResourceClaimSpec', object, old, errors),
    onUpdate: ['meta', 'update', 'validateUpdate'],
  },
  {
    prepareForCreate(object) {
      object.status = {};
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
  },
);

const claimStatus = kindStrategy(
  {
    namespaced: true,
    validateUpdate: (object, old, errors, { validation }) => checkClaimStatus(object, old, errors, validation),
    onUpdate: ['update', 'validateUpdate'],
  },
  { prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

const template = kindStrategy({
  namespaced: true,
  validate(object, errors, context) {
    checkAdminAccess(object.spec?.spec ?? {}, SPEC.child('spec'), errors, context);
    checkTemplate(object, errors);
  },
  validateUpdate: (object, old, errors) => checkSameSpec('resource.v1.ResourceClaimTemplateSpec', object, old, errors),
  onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
});

/** Newer checks count bytes. */
const nameInBytes = (name: string): string[] =>
  dns1123Subdomain(name).map((message) => message.replace(/^(must be no more than \d+) characters$/, '$1 bytes'));

const deviceClass = kindStrategy(
  {
    namespaced: false,
    name: nameInBytes,
    nameOnly: true,
    validate: (object, errors, { validation }) => checkClass(object, validation.old, errors),
    onUpdate: ['meta', 'update', 'validate'],
  },
  { generation: true },
);

const slice = kindStrategy(
  {
    namespaced: false,
    validate: (object, errors, { validation }) => checkSlice(object, validation.old, errors, validation),
    onUpdate: ['update', 'validate'],
  },
  { generation: true },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  deviceclasses: deviceClass,
  resourceclaims: claim,
  'resourceclaims/status': claimStatus,
  resourceclaimtemplates: template,
  resourceslices: slice,
};
