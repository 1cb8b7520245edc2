import type { PodInfo } from '@kubernel/sdk';
import { type KubeObject, type LabelSelector, type Selector, selectorOf } from '@kubernel/sdk/api';

export interface PodDisruptionBudget extends KubeObject {
  spec?: { selector?: LabelSelector };
  status?: { disruptionsAllowed?: number; disruptedPods?: Record<string, string> };
}

/** What the disruption budgets of the moment allow to lose. */
export class Budgets {
  readonly #budgets: { namespace: string; selector: Selector; allowed: number; disrupted: Record<string, string> }[];

  constructor(budgets: Iterable<PodDisruptionBudget>) {
    this.#budgets = [...budgets]
      .map(({ metadata, spec, status }) => ({
        namespace: metadata.namespace ?? '',
        selector: selectorOf(spec?.selector),
        allowed: status?.disruptionsAllowed ?? 0,
        disrupted: status?.disruptedPods ?? {},
      }))
      // An empty selector protects nobody from preemption.
      .filter(({ selector }) => !selector.empty);
  }

  /** Parts pods that may be lost from those that may not, taking them in their order from what is allowed. */
  sort(pods: readonly PodInfo[]): { violating: PodInfo[]; others: PodInfo[] } {
    const left = this.#budgets.map(({ allowed }) => allowed);
    const violating: PodInfo[] = [];
    const others: PodInfo[] = [];
    for (const pod of pods) {
      let violates = false;
      this.#budgets.forEach(({ namespace, selector, disrupted }, i) => {
        if (namespace !== pod.namespace || !selector.matches(pod.labels) || Object.hasOwn(disrupted, pod.name)) return;
        left[i] = (left[i] as number) - 1;
        if ((left[i] as number) < 0) violates = true;
      });
      (violates ? violating : others).push(pod);
    }
    return { violating, others };
  }
}
