import type { Strategy } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { keepSpec, keepStatus, kindStrategy } from '@kubernel/sdk/api';
import { toV2 } from './conversion.ts';
import { checkAutoscaler, checkAutoscalerStatus } from './validation/autoscaler.ts';

/** Both versions are checked in the form they are stored in: v1's CPU target is a metric there. */
const stored = (object: Decoded): Decoded =>
  object.apiVersion === 'autoscaling/v1' ? toV2(structuredClone(object) as KubeObject) : object;

const autoscaler = kindStrategy(
  { namespaced: true, validate: (object, errors) => checkAutoscaler(stored(object), errors), onUpdate: ['update', 'validate'] },
  {
    prepareForCreate(object) {
      object.status = { currentReplicas: 0, desiredReplicas: 0 };
    },
    prepareForUpdate: keepStatus,
    resetFields: ['status'],
  },
);

const status = kindStrategy(
  {
    namespaced: true,
    validateUpdate: (object, _old, errors) => checkAutoscalerStatus(object, errors),
    onUpdate: ['update', 'validateUpdate'],
  },
  { prepareForUpdate: keepSpec, resetFields: ['spec'] },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  horizontalpodautoscalers: autoscaler,
  'horizontalpodautoscalers/status': status,
};
