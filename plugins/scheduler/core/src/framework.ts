import type { Extensions, PodInfo, PolicyHost, PolicyInstance, QueuedPod, Rejection, SchedulerPolicy } from '@kubernel/sdk';
import type { Cluster } from '@kubernel/sdk/scheduling';
import type { ProfileConfig } from './config.ts';

/** A policy as a profile uses it. */
export interface ActivePolicy {
  /** Name in the config: `resources-fit`. */
  id: string;
  /** Upstream's name, for messages: `NodeResourcesFit`. */
  name: string;
  instance: PolicyInstance;
  weight: number;
}

export interface ActiveFilter extends ActivePolicy {
  /** What it writes for a node it rejects; plus one: unresolvable. */
  mark: number;
}

/** Verdicts are bytes: two for each filter, and two of the scheduler's own. */
const MAX_FILTERS = 126;

/**
 * The policies of one profile, sorted by extension point. {@link refresh} is called before each pod: a policy that was
 * swapped meanwhile takes effect with this pod, and counts what is already placed when it is created.
 */
export class Framework {
  readonly schedulerName: string;
  policies: ActivePolicy[] = [];
  filters: ActiveFilter[] = [];
  scorers: ActivePolicy[] = [];
  #profile: ProfileConfig;
  #extensions: Extensions<SchedulerPolicy>;
  #instances: PolicyInstances;
  #seen: { instance: SchedulerPolicy; config: Record<string, unknown> }[] = [];

  constructor(profile: ProfileConfig, extensions: Extensions<SchedulerPolicy>, instances: PolicyInstances) {
    this.schedulerName = profile.schedulerName;
    this.#profile = profile;
    this.#extensions = extensions;
    this.#instances = instances;
    this.refresh();
  }

  /** Takes the policies from the host's list. True when they changed. */
  refresh(): boolean {
    if (this.#unchanged()) return false;
    const { policies: wanted, disabled = [], weights = {}, args = {} } = this.#profile;
    const previous = this.policies;
    this.#seen = [];
    this.policies = [];
    for (const { name: id, instance: policy, config } of this.#extensions) {
      this.#seen.push({ instance: policy, config });
      if (disabled.includes(id) || (wanted !== undefined && !wanted.includes(id))) continue;
      const instance = this.#instances.acquire(id, policy, { ...config, ...args[id] });
      this.policies.push({ id, name: policy.name, instance, weight: weights[id] ?? policy.weight ?? 1 });
    }
    for (const { instance } of previous) this.#instances.release(instance);
    const filters = this.policies.filter(({ instance }) => instance.filter !== undefined || instance.preFilter !== undefined);
    if (filters.length > MAX_FILTERS) throw new Error(`a profile can have ${MAX_FILTERS} filters, not ${filters.length}`);
    this.filters = filters.map((policy, i) => ({ ...policy, mark: 1 + 2 * i }));
    this.scorers = this.policies.filter(
      ({ instance, weight }) => weight > 0 && (instance.score !== undefined || instance.scoreAll !== undefined),
    );
    return true;
  }

  preEnqueue(pod: PodInfo): Rejection | undefined {
    for (const { instance } of this.policies) {
      const rejection = instance.preEnqueue?.(pod);
      if (rejection) return rejection;
    }
    return undefined;
  }

  /** The QueueSort policy's order; by age where there is none. */
  get compare(): (a: QueuedPod, b: QueuedPod) => number {
    const sorter = this.policies.find(({ instance }) => instance.compare !== undefined)?.instance;
    return sorter?.compare ? (a, b) => (sorter.compare as NonNullable<PolicyInstance['compare']>)(a, b) : (a, b) => a.queuedAt - b.queuedAt;
  }

  #unchanged(): boolean {
    if (this.#extensions.length !== this.#seen.length) return false;
    let at = 0;
    for (const { instance, config } of this.#extensions) {
      const seen = this.#seen[at++];
      if (seen?.instance !== instance || seen.config !== config) return false;
    }
    return this.#seen.length > 0;
  }
}

interface Shared {
  policy: SchedulerPolicy;
  args: string;
  instance: PolicyInstance;
  users: number;
  unlisten: () => void;
}

/** One instance for each policy and its args, whichever profiles share it, so that counters are kept once. */
export class PolicyInstances {
  #shared: Shared[] = [];
  #cluster: Cluster;
  #hostFor: (id: string) => PolicyHost;

  constructor(cluster: Cluster, hostFor: (id: string) => PolicyHost) {
    this.#cluster = cluster;
    this.#hostFor = hostFor;
  }

  acquire(id: string, policy: SchedulerPolicy, args: Record<string, unknown>): PolicyInstance {
    const text = JSON.stringify(args);
    let shared = this.#shared.find((candidate) => candidate.policy === policy && candidate.args === text);
    if (!shared) {
      const instance = policy.create(this.#hostFor(id), args);
      shared = { policy, args: text, instance, users: 0, unlisten: this.#cluster.listen(instance) };
      this.#shared.push(shared);
    }
    shared.users++;
    return shared.instance;
  }

  release(instance: PolicyInstance): void {
    const at = this.#shared.findIndex((candidate) => candidate.instance === instance);
    const shared = this.#shared[at];
    if (!shared || --shared.users > 0) return;
    this.#shared.splice(at, 1);
    shared.unlisten();
    instance.dispose?.();
  }
}
