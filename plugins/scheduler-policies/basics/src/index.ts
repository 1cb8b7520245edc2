import { definePlugin } from '@kubernel/sdk';
import { defaultBinder } from './default-binder.ts';
import { prioritySort } from './priority-sort.ts';
import { schedulingGates } from './scheduling-gates.ts';

export default [
  definePlugin('scheduler-policy/v1', 'scheduling-gates', { start: () => schedulingGates }),
  definePlugin('scheduler-policy/v1', 'priority-sort', { start: () => prioritySort }),
  definePlugin('scheduler-policy/v1', 'default-binder', { start: () => defaultBinder }),
];

export { defaultBinder, prioritySort, schedulingGates };
