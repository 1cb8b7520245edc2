/**
 * ResourceQuota: `evaluators.ts` and `pods.ts` say what an object costs, `ledger.ts` counts it against the namespace's quotas
 * before it is let in, `controller.ts` counts anew what is there.
 */
import { definePlugin } from '@kubernel/sdk';
import { quotaController } from './controller.ts';
import { resourceQuota } from './resource-quota.ts';

export default [definePlugin('admission/v1', 'resource-quota', { start: (ctx) => resourceQuota(() => ctx.client()) }), quotaController];
