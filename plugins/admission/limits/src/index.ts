import { definePlugin } from '@kubernel/sdk';
import { limitRanger } from './limit-ranger.ts';

export default definePlugin('admission/v1', 'limit-ranger', { start: () => limitRanger() });
