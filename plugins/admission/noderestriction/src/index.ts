import { definePlugin } from '@kubernel/sdk';
import { nodeRestriction } from './node-restriction.ts';

export default definePlugin('admission/v1', 'node-restriction', { start: () => nodeRestriction() });
