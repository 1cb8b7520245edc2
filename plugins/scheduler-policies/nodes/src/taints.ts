import { ClusterEvents, NodeChange, PASS, type PodInfo, type SchedulerPolicy, UNRESOLVABLE } from '@kubernel/sdk';
import { tolerates, untolerated } from '@kubernel/sdk/api';
import { normalizeToHundred } from './normalize.ts';

const REASONS = ['node(s) had untolerated taint(s)'];
const HARD = ['NoSchedule', 'NoExecute'];

/**
 * Taints and tolerations (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/): NoSchedule and
 * NoExecute keep pods away; fewer PreferNoSchedule taints that are not tolerated are better.
 */
export const taints: SchedulerPolicy = {
  name: 'TaintToleration',
  weight: 3,
  create: ({ cluster: { nodes } }) => {
    const tolerations = ({ pod }: PodInfo) => pod.spec.tolerations ?? [];

    /** 1 where a taint keeps the pod away. One column for each list of tolerations in use. */
    function refused(pod: PodInfo): Int32Array {
      return nodes.derive(`taints:${JSON.stringify(pod.pod.spec.tolerations ?? [])}`, NodeChange.Taints, (node) =>
        untolerated(node.spec?.taints ?? [], tolerations(pod), HARD) ? 1 : 0,
      );
    }

    /** How many soft taints the pod does not tolerate. */
    function disliked(pod: PodInfo): Int32Array {
      const soft = tolerations(pod).filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
      return nodes.derive(`soft-taints:${JSON.stringify(soft)}`, NodeChange.Taints, (node) => {
        let count = 0;
        for (const taint of node.spec?.taints ?? []) {
          if (taint.effect === 'PreferNoSchedule' && !soft.some((toleration) => tolerates(toleration, taint))) count++;
        }
        return count;
      });
    }

    return {
      filter: ({ pod }, node) => (refused(pod)[node] ? UNRESOLVABLE : PASS),
      filterAll({ pod }, verdicts, mark) {
        const column = refused(pod);
        for (let slot = 0; slot < nodes.size; slot++) if (column[slot] !== 0 && verdicts[slot] === 0) verdicts[slot] = mark + 1;
      },
      reasons: () => REASONS,
      events: [{ events: ClusterEvents.NodeAdded | ClusterEvents.NodeTaints, hint: (pod, { node }) => node < 0 || !refused(pod)[node] }],
      scoreAll({ pod }, feasible, scores) {
        const column = disliked(pod);
        for (let k = 0; k < feasible.length; k++) scores[k] = column[feasible[k] as number] as number;
      },
      normalize: (_, __, scores) => normalizeToHundred(scores, true),
    };
  },
};
