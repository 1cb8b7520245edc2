import type { Strategy } from '@kubernel/sdk';
import type { Decoded } from '@kubernel/sdk/api';
import { keepSpec, keepStatus, kindStrategy } from '@kubernel/sdk/api';
import { checkIngress, checkIngressClass, checkIngressClassUpdate, checkIngressStatus } from './validation/ingress.ts';
import {
  checkAddress,
  checkAddressUpdate,
  checkNetworkPolicy,
  checkServiceCidr,
  checkServiceCidrUpdate,
  nameIsAddress,
} from './validation/network-policy.ts';

const withStatus: Strategy = {
  generation: true,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: keepStatus,
  resetFields: ['status'],
};
const statusOnly: Strategy = { prepareForUpdate: keepSpec, resetFields: ['spec'] };

const ingress = kindStrategy(
  {
    namespaced: true,
    validate: (object, errors, { validation }) => checkIngress(object, errors, validation.old === undefined),
    onUpdate: ['update', 'validate'],
  },
  {
    ...withStatus,
    warnings({ metadata }, old) {
      const key = 'kubernetes.io/ingress.class';
      return metadata.annotations?.[key] !== undefined && old === undefined
        ? [`annotation ${JSON.stringify(key)} is deprecated, please use 'spec.ingressClassName' instead`]
        : [];
    },
  },
);

const ingressClass = kindStrategy(
  {
    namespaced: false,
    validate: (object, errors) => checkIngressClass(object, errors),
    validateUpdate: (object, old, errors) => checkIngressClassUpdate(object, old, errors),
    onUpdate: ['update', 'validateUpdate', 'meta', 'validate'],
  },
  { generation: true },
);

const networkPolicy = kindStrategy(
  { namespaced: true, validate: (object, errors) => checkNetworkPolicy(object, errors), onUpdate: ['update', 'validate'] },
  { generation: true },
);

const serviceCidr = kindStrategy(
  {
    namespaced: false,
    validate: (object, errors) => checkServiceCidr(object, errors),
    validateUpdate: (object, old, errors) => checkServiceCidrUpdate(object, old, errors),
    onUpdate: ['update', 'validateUpdate'],
  },
  { ...withStatus, generation: false },
);

const address = kindStrategy(
  {
    namespaced: false,
    name: nameIsAddress,
    validate: (object, errors) => checkAddress(object, errors),
    validateUpdate: (object, old, errors) => checkAddressUpdate(object, old, errors),
    onUpdate: ['meta', 'validate', 'update', 'validateUpdate'],
  },
  {},
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  ingressclasses: ingressClass,
  ingresses: ingress,
  'ingresses/status': kindStrategy(
    {
      namespaced: true,
      validateUpdate: (object: Decoded, _old, errors) => checkIngressStatus(object, errors),
      onUpdate: ['update', 'validateUpdate'],
    },
    statusOnly,
  ),
  ipaddresses: address,
  networkpolicies: networkPolicy,
  servicecidrs: serviceCidr,
  'servicecidrs/status': kindStrategy({ namespaced: false, onUpdate: ['update'] }, statusOnly),
};
