/** What keeps data from being lost by accident. */
import { definePlugin } from '@kubernel/sdk';
import { claimResize } from './claim-resize.ts';
import { inUseProtection } from './in-use-protection.ts';

export default [
  definePlugin('admission/v1', 'storage-object-in-use-protection', { start: () => inUseProtection() }),
  definePlugin('admission/v1', 'persistent-volume-claim-resize', { start: () => claimResize() }),
];
