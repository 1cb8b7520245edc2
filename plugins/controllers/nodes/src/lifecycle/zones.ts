export interface ZoneRates {
  /** Nodes a second whose pods may be evicted. Default 0.1. */
  evictionRate: number;
  /** In a zone where many nodes are not ready. Default 0.01. */
  secondaryEvictionRate: number;
  /** The share of nodes not ready from which a zone counts as disrupted. Default 0.55. */
  unhealthyZoneThreshold: number;
  /** Zones of at most so many nodes evict nothing while disrupted. Default 50. */
  largeClusterSizeThreshold: number;
}

export const DEFAULT_RATES: ZoneRates = {
  evictionRate: 0.1,
  secondaryEvictionRate: 0.01,
  unhealthyZoneThreshold: 0.55,
  largeClusterSizeThreshold: 50,
};

/** How many nodes a zone has, and how many of them are not ready, or have not been heard of for a while. */
export interface ZoneHealth {
  total: number;
  unwell: number;
}

type ZoneState = 'normal' | 'partial' | 'full';

/**
 * How fast nodes may be emptied, by zone: when many nodes fail at once it is more likely the network between them and us,
 * and evicting their pods would make it worse (https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction).
 */
export class Zones {
  readonly #rates: ZoneRates;
  /** When the next eviction in a zone may be, in milliseconds. */
  readonly #nextAt = new Map<string, number>();

  constructor(rates: ZoneRates) {
    this.#rates = rates;
  }

  /**
   * Milliseconds until one more node of the zone may be emptied, 0: now, and then it counts; undefined: not as things
   * stand.
   */
  take(zone: string, nodes: ZoneHealth, now: number): number | undefined {
    const rate = this.#rateOf(nodes);
    if (rate <= 0) return undefined;
    const nextAt = this.#nextAt.get(zone) ?? 0;
    // A rate that rose since the last eviction is not held back by the wait of the lower one.
    const waitMs = Math.min(nextAt - now, 1000 / rate);
    if (waitMs > 0) return waitMs;
    this.#nextAt.set(zone, now + 1000 / rate);
    return 0;
  }

  #rateOf(nodes: ZoneHealth): number {
    switch (stateOf(nodes, this.#rates.unhealthyZoneThreshold)) {
      case 'partial':
        return nodes.total > this.#rates.largeClusterSizeThreshold ? this.#rates.secondaryEvictionRate : 0;
      default:
        return this.#rates.evictionRate;
    }
  }
}

function stateOf({ total, unwell }: ZoneHealth, threshold: number): ZoneState {
  if (unwell > 0 && unwell === total) return 'full';
  return unwell > 2 && unwell / total >= threshold ? 'partial' : 'normal';
}
