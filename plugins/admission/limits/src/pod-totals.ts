import type { KubeObject } from '@kubernel/sdk/api';
import { parseQuantity, type Quantity } from '@kubernel/sdk/api';

export type Amounts = Record<string, string>;

export interface Container {
  name: string;
  restartPolicy?: string;
  resources?: { requests?: Amounts; limits?: Amounts };
}

export interface Pod extends KubeObject {
  spec: { containers: Container[]; initContainers?: Container[]; resources?: { requests?: Amounts; limits?: Amounts } };
}

/** What a pod as a whole asks for: containers and sidecars together, or the largest init container, whichever is more. */
export function podTotals(pod: Pod): { requests: Amounts; limits: Amounts } {
  return { requests: total(pod, 'requests'), limits: total(pod, 'limits') };
}

function total(pod: Pod, field: 'requests' | 'limits'): Amounts {
  const sum = new Map<string, Quantity>();
  const most = new Map<string, Quantity>();
  for (const { resources } of pod.spec.containers) add(sum, resources?.[field]);
  const sidecars = new Map<string, Quantity>();
  for (const { resources, restartPolicy } of pod.spec.initContainers ?? []) {
    const own = new Map(sidecars);
    add(own, resources?.[field]);
    for (const [name, amount] of own) if (!most.has(name) || amount.compare(most.get(name) as Quantity) > 0) most.set(name, amount);
    if (restartPolicy === 'Always') {
      add(sum, resources?.[field]);
      add(sidecars, resources?.[field]);
    }
  }
  for (const [name, amount] of most) if (!sum.has(name) || amount.compare(sum.get(name) as Quantity) > 0) sum.set(name, amount);
  const totals = Object.fromEntries([...sum].map(([name, amount]) => [name, amount.toString()]));
  return { ...totals, ...pod.spec.resources?.[field] };
}

function add(sum: Map<string, Quantity>, amounts: Amounts | undefined): void {
  for (const [name, text] of Object.entries(amounts ?? {})) {
    const amount = parseQuantity(text);
    sum.set(name, sum.get(name)?.add(amount) ?? amount);
  }
}
