import type { DefaultFunction } from '@kubernel/sdk';

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'scheduling.v1.PriorityClass': (priorityClass) => {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
};
