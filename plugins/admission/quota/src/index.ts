/** ResourceQuota: `evaluators.ts` and `pods.ts` say what an object costs, `ledger.ts` counts it against the namespace's quotas. */
import { definePlugin } from '@kubernel/sdk';
import { resourceQuota } from './resource-quota.ts';

export default definePlugin('admission/v1', 'resource-quota', { start: (ctx) => resourceQuota(() => ctx.client()) });
