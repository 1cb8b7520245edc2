import type { SchedulerPolicy } from '@kubernel/sdk';

/** Higher priority first; among equals, who came to the queue first. */
export const prioritySort: SchedulerPolicy = {
  name: 'PrioritySort',
  create: () => ({
    compare: (a, b) => b.info.priority - a.info.priority || a.queuedAt - b.queuedAt,
  }),
};
