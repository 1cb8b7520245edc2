import type { LabelColumn, PodInfo } from '@kubernel/sdk';
import type { Selector } from '@kubernel/sdk/api';
import type { Term } from './affinity-terms.ts';
import { SelectorIndex } from './selector-index.ts';
import { type DomainTally, NodeTally } from './tally.ts';

class Holders extends NodeTally {
  readonly term: Term;
  readonly selectors: readonly Selector[];
  count = 0;

  constructor(term: Term) {
    super();
    this.term = term;
    this.selectors = term.selectors;
  }
}

/** Terms that placed pods carry, each once, with the weight of its carriers on every node: who minds a newcomer, and where. */
export class TermHolders {
  readonly #holders = new Map<string, Holders>();
  readonly #index = new SelectorIndex<Holders>();

  /** A pod with this term came to (`sign` 1) or left (-1) the node. */
  change(term: Term, slot: number, weight: number, sign: 1 | -1): void {
    const key = `${term.topologyKey}|${term.key}`;
    let holders = this.#holders.get(key);
    if (!holders) {
      holders = new Holders(term);
      this.#holders.set(key, holders);
      this.#index.add(holders);
    }
    holders.count += sign;
    holders.add(slot, sign * weight);
    if (holders.count > 0) return;
    this.#holders.delete(key);
    this.#index.remove(holders);
  }

  /** The terms that mean this pod, with their weights by domain. */
  meaning(pod: PodInfo, column: (topologyKey: string) => LabelColumn): DomainTally[] {
    const found: DomainTally[] = [];
    if (this.#holders.size === 0) return found;
    this.#index.candidates(pod.labels, (holders) => {
      if (holders.term.matches(pod)) found.push(holders.domains(column(holders.term.topologyKey)));
    });
    return found;
  }

  nodesChanged(): void {
    for (const holders of this.#holders.values()) holders.nodesChanged();
  }
}
