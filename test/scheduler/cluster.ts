import { Scheduler, type SchedulerConfig } from '@kubernel/scheduler-core';
import { defaultBinder, prioritySort, schedulingGates } from '@kubernel/scheduler-policies-basics';
import { imageLocality, nodeAffinity, nodeName, nodePorts, nodeUnschedulable, taints } from '@kubernel/scheduler-policies-nodes';
import { defaultPreemption } from '@kubernel/scheduler-policies-preemption';
import { balancedAllocation, resourcesFit } from '@kubernel/scheduler-policies-resources';
import { interPodAffinity, topologySpread } from '@kubernel/scheduler-policies-topology';
import type { Extension, Extensions, SchedulerPolicy } from '@kubernel/sdk';
import type { Pod } from '@kubernel/sdk/api';
import { createClient, createSharedInformers, NODES, PODS } from '@kubernel/sdk/client';
import { FakeApi } from '@kubernel/sdk/testing';

/** All policies, in the order of the composed configs. */
export const POLICIES: Record<string, SchedulerPolicy> = {
  'priority-sort': prioritySort,
  'scheduling-gates': schedulingGates,
  'node-unschedulable': nodeUnschedulable,
  'node-name': nodeName,
  taints,
  'node-affinity': nodeAffinity,
  'node-ports': nodePorts,
  'resources-fit': resourcesFit,
  'balanced-allocation': balancedAllocation,
  'image-locality': imageLocality,
  'topology-spread': topologySpread,
  'inter-pod-affinity': interPodAffinity,
  'default-preemption': defaultPreemption,
  'default-binder': defaultBinder,
};

/** A host's list of policies, in which one can be swapped. */
export class PolicyList implements Extensions<SchedulerPolicy> {
  #list: Extension<SchedulerPolicy>[];
  #listeners: (() => void)[] = [];

  constructor(policies: Record<string, SchedulerPolicy> = POLICIES) {
    this.#list = Object.entries(policies).map(([name, instance]) => ({ name, instance, config: {} }));
  }

  get length(): number {
    return this.#list.length;
  }

  get(name: string): SchedulerPolicy | undefined {
    return this.#list.find((extension) => extension.name === name)?.instance;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  [Symbol.iterator](): Iterator<Extension<SchedulerPolicy>> {
    return this.#list[Symbol.iterator]();
  }

  /** In place, between two iterations; `tell: false` leaves the scheduler to find out with the next pod. */
  swap(name: string, instance: SchedulerPolicy, { tell = true } = {}): void {
    this.#list = this.#list.map((extension) => (extension.name === name ? { ...extension, instance } : extension));
    if (tell) for (const listener of this.#listeners) listener();
  }

  /** The policy's config changed in the file. */
  configure(name: string, config: Record<string, unknown>): void {
    this.#list = this.#list.map((extension) => (extension.name === name ? { ...extension, config } : extension));
    for (const listener of this.#listeners) listener();
  }
}

/** A scheduler over a fake API (in memory, no admission or validation). */
export class TestCluster {
  readonly api = new FakeApi();
  readonly policies: PolicyList;
  readonly logged: string[] = [];
  #abort = new AbortController();
  #schedulers: Scheduler[] = [];

  constructor(policies: Record<string, SchedulerPolicy> = POLICIES) {
    this.policies = new PolicyList(policies);
  }

  async startScheduler(config: SchedulerConfig = {}): Promise<Scheduler> {
    const client = createClient(this.api);
    const { signal } = this.#abort;
    const log = (level: string) => (message: string, fields?: Record<string, unknown>) =>
      void this.logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    const scheduler = new Scheduler(
      { seed: 1, queue: { initialBackoffMs: 20, maxBackoffMs: 100 }, ...config },
      {
        client,
        informers: createSharedInformers(client, { signal }),
        policies: this.policies,
        log: { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') },
        signal,
      },
    );
    this.#schedulers.push(scheduler);
    await scheduler.start();
    return scheduler;
  }

  /** As when its process dies. */
  stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  pods(): Pod[] {
    return this.api.all<Pod>(PODS);
  }

  pod(name: string): Pod {
    return this.api.get<Pod>(PODS, `default/${name}`) as Pod;
  }

  events(reason: string): string[] {
    return this.api
      .all<{ metadata: object; reason?: string; message?: string }>({ group: '', resource: 'events' })
      .filter((event) => event.reason === reason)
      .map((event) => event.message ?? '');
  }

  addNode(node: Parameters<FakeApi['put']>[1]): void {
    this.api.put(NODES, node);
  }

  addPod(pod: Pod): void {
    this.api.put(PODS, pod);
  }

  async until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
    const end = Date.now() + ms;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`${what} did not happen in ${ms} ms\n${this.logged.slice(-10).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  bound(name: string): Promise<void> {
    return this.until(() => Boolean(this.pod(name)?.spec.nodeName), `${name} bound`);
  }

  condition(name: string): { status: string; reason?: string; message?: string } | undefined {
    return this.pod(name)?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  }
}
