import {
  type Diagnosis,
  PASS,
  type PodCycle,
  type PodInfo,
  type PolicyInstance,
  type Rejection,
  UNRESOLVABLE,
  type Verdict,
} from '@kubernel/sdk';
import type { Cluster } from '@kubernel/sdk/scheduling';
import type { ActiveFilter, ActivePolicy, Framework } from './framework.ts';
import type { Nominator } from './nominator.ts';

/** Verdict of a slot that holds no node. */
const EMPTY_SLOT = 255;
/** Verdict of a node that a preFilter excluded by naming others. */
const NOT_NAMED = 254;

/** What the filters found. Arrays belong to the phase and are valid until its next run. */
export interface Filtered {
  /** Feasible slots are `nodes[0..count)`. */
  nodes: Int32Array;
  count: number;
  /** Why, when the count is 0. */
  rejection: { policy: ActivePolicy; rejection: Rejection } | undefined;
}

/** PreFilter and Filter: from all nodes to those where the pod fits. */
export class FilterPhase {
  #cluster: Cluster;
  #nominator: Nominator;
  #verdicts = new Uint8Array(0);
  #feasible = new Int32Array(0);
  #skip: boolean[] = [];
  #named: number[] | undefined;
  #namedBy: ActiveFilter[] = [];
  #rejection: Filtered['rejection'];

  constructor(cluster: Cluster, nominator: Nominator) {
    this.#cluster = cluster;
    this.#nominator = nominator;
  }

  run(framework: Framework, cycle: PodCycle): Filtered {
    const { nodes } = this.#cluster;
    this.#fitBuffers(nodes.capacity);
    if (!this.#preFilter(framework, cycle)) return this.#result(0);
    const hoped = this.#nominatedNode(cycle.pod);
    if (hoped >= 0 && (!this.#named || this.#named.includes(hoped)) && this.fitsBesideNominated(framework, cycle, hoped) === PASS) {
      this.#feasible[0] = hoped;
      return this.#result(1);
    }
    if (this.#named) this.#filterNamed(framework, cycle, this.#named);
    else this.#filterAll(framework, cycle);
    if (this.#nominator.size > 0) this.#respectNominated(framework, cycle);
    return this.#result(this.#collect());
  }

  /** All filters on one node, in the cluster as it is now, with and without the pods nominated to it that come first. */
  fitsBesideNominated(framework: Framework, cycle: PodCycle, slot: number): Verdict {
    const verdict = this.fits(framework, cycle, slot);
    if (verdict !== PASS || this.#nominator.size === 0) return verdict;
    const others = this.#nominator.ahead(cycle.pod, slot, this.#cluster.nodes);
    return others.length === 0 ? PASS : this.simulate(framework, cycle, slot, { add: others }, () => this.fits(framework, cycle, slot));
  }

  fits(framework: Framework, cycle: PodCycle, node: number): Verdict {
    return this.#firstRejection(framework, cycle, node)?.verdict ?? PASS;
  }

  reasons(framework: Framework, cycle: PodCycle, node: number): readonly string[] {
    const found = this.#firstRejection(framework, cycle, node);
    return found?.filter.instance.reasons?.(cycle, node) ?? [];
  }

  /** Counters changed under a simulation: what preFilter computed has to be computed again. */
  refresh(framework: Framework, cycle: PodCycle): void {
    this.#preFilter(framework, cycle);
  }

  /** After a run without a feasible node: the reasons, and who is to be asked when an event comes. */
  diagnose(framework: Framework, cycle: PodCycle): Diagnosed {
    const { nodes } = this.#cluster;
    const rejection = this.#rejection;
    const reasons = new Map<string, number>();
    const rejectedBy = new Set<ActivePolicy>(this.#namedBy);
    if (rejection) {
      rejectedBy.add(rejection.policy);
    } else {
      for (let slot = 0; slot < nodes.size; slot++) {
        const verdict = this.#verdicts[slot] as number;
        if (verdict === EMPTY_SLOT || verdict === 0) continue;
        const filter = framework.filters[(verdict - 1) >> 1];
        if (filter) rejectedBy.add(filter);
        const texts =
          verdict === NOT_NAMED
            ? [`node(s) didn't satisfy plugin(s) [${this.#namedBy.map(({ name }) => name).join(' ')}]`]
            : this.#reasonsOf(framework, cycle, slot, filter);
        for (const text of texts) reasons.set(text, (reasons.get(text) ?? 0) + 1);
      }
    }
    // A copy: the verdicts may be overwritten by simulations before a postFilter asks.
    const verdicts = this.#verdicts.slice(0, nodes.size);
    return {
      nodeCount: nodes.count,
      rejection: rejection?.rejection,
      reasons,
      rejectedBy: [...rejectedBy].map(({ instance }) => instance),
      resolvable: () => Int32Array.from(verdicts.keys()).filter((slot) => isResolvable(verdicts[slot] as number)),
    };
  }

  /** Where others wait for the node, the reason may be the room they need. */
  #reasonsOf(framework: Framework, cycle: PodCycle, slot: number, filter: ActiveFilter | undefined): readonly string[] {
    const reasons = () => filter?.instance.reasons?.(cycle, slot) ?? [];
    const others = this.#nominator.size > 0 ? this.#nominator.ahead(cycle.pod, slot, this.#cluster.nodes) : [];
    return others.length === 0 ? reasons() : this.simulate(framework, cycle, slot, { add: others }, reasons);
  }

  /** False: rejected everywhere. */
  #preFilter(framework: Framework, cycle: PodCycle): boolean {
    this.#named = undefined;
    this.#namedBy = [];
    this.#rejection = undefined;
    const { filters } = framework;
    for (let i = 0; i < filters.length; i++) {
      const policy = filters[i] as ActiveFilter;
      this.#skip[i] = policy.instance.filter === undefined && policy.instance.filterAll === undefined;
      const result = policy.instance.preFilter?.(cycle);
      if (result === undefined) continue;
      if (result.reject) {
        this.#rejection = { policy, rejection: result.reject };
        return false;
      }
      if (result.skip) this.#skip[i] = true;
      if (result.nodes) {
        const allowed = new Set(result.nodes);
        this.#named = this.#named ? this.#named.filter((node) => allowed.has(node)) : [...allowed];
        this.#namedBy.push(policy);
      }
    }
    return true;
  }

  #filterAll(framework: Framework, cycle: PodCycle): void {
    const { nodes } = this.#cluster;
    const verdicts = this.#verdicts;
    verdicts.fill(0, 0, nodes.size);
    if (nodes.count !== nodes.size) {
      for (let slot = 0; slot < nodes.size; slot++) if (nodes.live[slot] === 0) verdicts[slot] = EMPTY_SLOT;
    }
    const { filters } = framework;
    for (let i = 0; i < filters.length; i++) {
      if (this.#skip[i]) continue;
      const { instance, mark } = filters[i] as ActiveFilter;
      if (instance.filterAll) {
        instance.filterAll(cycle, verdicts, mark);
      } else {
        for (let slot = 0; slot < nodes.size; slot++) {
          if (verdicts[slot] !== 0) continue;
          const verdict = instance.filter?.(cycle, slot) ?? PASS;
          if (verdict !== PASS) verdicts[slot] = verdict === UNRESOLVABLE ? mark + 1 : mark;
        }
      }
    }
  }

  #filterNamed(framework: Framework, cycle: PodCycle, named: readonly number[]): void {
    const { nodes } = this.#cluster;
    for (let slot = 0; slot < nodes.size; slot++) this.#verdicts[slot] = nodes.live[slot] ? NOT_NAMED : EMPTY_SLOT;
    for (const slot of named) this.#verdicts[slot] = this.#mark(this.#firstRejection(framework, cycle, slot));
  }

  /** A node that others wait for must have room for them too, where they come before this pod. */
  #respectNominated(framework: Framework, cycle: PodCycle): void {
    for (const slot of this.#nominator.slots(this.#cluster.nodes)) {
      if (this.#verdicts[slot] !== 0) continue;
      const others = this.#nominator.ahead(cycle.pod, slot, this.#cluster.nodes);
      if (others.length === 0) continue;
      this.#verdicts[slot] = this.simulate(framework, cycle, slot, { add: others }, () =>
        this.#mark(this.#firstRejection(framework, cycle, slot)),
      );
    }
  }

  simulate<T>(
    framework: Framework,
    cycle: PodCycle,
    node: number,
    change: { remove?: readonly PodInfo[]; add?: readonly PodInfo[] },
    work: () => T,
  ): T {
    const remove = (change.remove ?? []).filter((info) => this.#cluster.pods(node).has(info));
    const add = change.add ?? [];
    for (const info of remove) this.#cluster.detach(info, node);
    for (const info of add) this.#cluster.attach(info, node);
    try {
      this.refresh(framework, cycle);
      return work();
    } finally {
      for (const info of add) this.#cluster.detach(info, node);
      for (const info of remove) this.#cluster.attach(info, node);
      this.refresh(framework, cycle);
    }
  }

  #firstRejection(framework: Framework, cycle: PodCycle, node: number): { filter: ActiveFilter; verdict: Verdict } | undefined {
    if (this.#rejection) return { filter: this.#rejection.policy as ActiveFilter, verdict: UNRESOLVABLE };
    const { filters } = framework;
    for (let i = 0; i < filters.length; i++) {
      if (this.#skip[i]) continue;
      const filter = filters[i] as ActiveFilter;
      const verdict = filter.instance.filter?.(cycle, node) ?? PASS;
      if (verdict !== PASS) return { filter, verdict };
    }
    return undefined;
  }

  #mark(found: { filter: ActiveFilter; verdict: Verdict } | undefined): number {
    if (!found) return 0;
    return found.verdict === UNRESOLVABLE ? found.filter.mark + 1 : found.filter.mark;
  }

  #nominatedNode(pod: PodInfo): number {
    const name = this.#nominator.nodeOf(pod.uid);
    return name === undefined ? -1 : this.#cluster.nodes.slot(name);
  }

  #collect(): number {
    const { size } = this.#cluster.nodes;
    const verdicts = this.#verdicts;
    const feasible = this.#feasible;
    let count = 0;
    for (let slot = 0; slot < size; slot++) if (verdicts[slot] === 0) feasible[count++] = slot;
    return count;
  }

  #result(count: number): Filtered {
    return { nodes: this.#feasible, count, rejection: this.#rejection };
  }

  #fitBuffers(capacity: number): void {
    if (this.#verdicts.length >= capacity) return;
    this.#verdicts = new Uint8Array(capacity);
    this.#feasible = new Int32Array(capacity);
  }
}

/** Why a pod fits nowhere. */
export interface Diagnosed extends Diagnosis {
  /** Reason -> how many nodes gave it. */
  reasons: ReadonlyMap<string, number>;
  /** Policies to ask when something changes. */
  rejectedBy: PolicyInstance[];
}

function isResolvable(verdict: number): boolean {
  return verdict < NOT_NAMED && (verdict & 1) === 1;
}
