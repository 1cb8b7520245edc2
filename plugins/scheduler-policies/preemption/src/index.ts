import { definePlugin } from '@kubernel/sdk';
import { defaultPreemption } from './default-preemption.ts';

export default definePlugin('scheduler-policy/v1', 'default-preemption', { start: () => defaultPreemption });

export { defaultPreemption };
