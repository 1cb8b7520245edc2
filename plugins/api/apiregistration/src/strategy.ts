import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { keepSpec, keepStatus, nameIsPathSegment, validateObjectMetaUpdate } from '@kubernel/sdk/api';
import { checkApiService } from './validation/api-service.ts';

/** A service without a server of its own is this API server's, and so always available. */
function newStatus({ spec }: Decoded): Decoded {
  if (spec?.service) return {};
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const message = 'Local APIServices are always available';
  return { conditions: [{ type: 'Available', status: 'True', lastTransitionTime, reason: 'Local', message }] };
}

const service: Strategy = {
  validateName: nameIsPathSegment,
  unconditionalUpdate: false,
  prepareForCreate(object) {
    object.status = newStatus(object);
  },
  prepareForUpdate: keepStatus,
  resetFields: ['status'],
  validate: (object, errors: FieldErrors) => checkApiService(object, errors),
  validateUpdate(object, old, errors) {
    validateObjectMetaUpdate(object.metadata, old.metadata, errors);
    checkApiService(object, errors);
  },
};

const status: Strategy = {
  unconditionalUpdate: false,
  prepareForUpdate: keepSpec,
  resetFields: ['spec'],
  validateUpdate: (object, old, errors) => validateObjectMetaUpdate(object.metadata, old.metadata, errors),
};

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { apiservices: service, 'apiservices/status': status };
