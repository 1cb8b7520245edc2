import { ClusterEvents, NodeChange, PASS, type PodInfo, type SchedulerPolicy, UNRESOLVABLE } from '@kubernel/sdk';
import { type Taint, tolerates } from '@kubernel/sdk/api';

const REASONS = ['node(s) were unschedulable'];
const TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Cordoned nodes (`spec.unschedulable`) take only pods that tolerate it. */
export const nodeUnschedulable: SchedulerPolicy = {
  name: 'NodeUnschedulable',
  create: ({ cluster: { nodes } }) => {
    const cordoned = () => nodes.derive('node-unschedulable', NodeChange.Taints, (node) => (node.spec?.unschedulable ? 1 : 0));
    return {
      preFilter: ({ pod }) => (toleratesCordon(pod) ? { skip: true } : undefined),
      filter: (_, node) => (cordoned()[node] ? UNRESOLVABLE : PASS),
      filterAll(_, verdicts, mark) {
        const column = cordoned();
        for (let slot = 0; slot < nodes.size; slot++) if (column[slot] !== 0 && verdicts[slot] === 0) verdicts[slot] = mark + 1;
      },
      reasons: () => REASONS,
      events: [
        {
          events: ClusterEvents.NodeAdded | ClusterEvents.NodeTaints,
          hint: (_, { node }) => node < 0 || !cordoned()[node],
        },
      ],
    };
  },
};

function toleratesCordon({ pod }: PodInfo): boolean {
  return pod.spec.tolerations?.some((toleration) => tolerates(toleration, TAINT)) ?? false;
}
