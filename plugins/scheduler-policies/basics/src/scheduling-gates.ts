import type { SchedulerPolicy } from '@kubernel/sdk';

/** Holds back pods with `spec.schedulingGates` (KEP-3521). */
export const schedulingGates: SchedulerPolicy = {
  name: 'SchedulingGates',
  create: () => ({
    preEnqueue({ pod }) {
      const gates = pod.spec.schedulingGates;
      if (!gates?.length) return undefined;
      const names = gates.map(({ name }) => name).join(' ');
      return { code: 'UnschedulableAndUnresolvable', reasons: [`waiting for scheduling gates: [${names}]`] };
    },
    // Gates leave by an update of the pod itself, which the queue looks at anyway.
    events: [],
  }),
};
