import type { CoreEvent, Deployment, Pod, ReplicaSet } from '@kubernel/sdk/api';
import { controllerOf, DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS, timestamp } from '@kubernel/sdk/client';
import { FakeApi, type FakeContext, fakeContext } from '@kubernel/sdk/testing';
import plugins from '../src/index.ts';

/** Both controllers over the fake API, with a fake kubelet that starts and ends pods when it is told to. */
export class FakeCluster {
  readonly api = new FakeApi();
  readonly contexts: FakeContext<Record<string, unknown>>[] = [];
  /** Pods whose image is in here never get ready. */
  readonly brokenImages = new Set<string>();
  /** Start each pod as soon as it is there. */
  automatic = false;
  /** Highest number of pods, and lowest of ready ones, since {@link watchLimits}. */
  mostPods = 0;
  fewestReady = Number.POSITIVE_INFINITY;
  #lastChange = 0;
  #transcript = 0;

  constructor() {
    this.api.onChange = (_type, resource, object) => {
      if (resource !== 'events') this.#lastChange = performance.now();
      if (resource !== 'pods') return;
      this.mostPods = Math.max(this.mostPods, this.pods().length);
      this.fewestReady = Math.min(this.fewestReady, this.readyPods().length);
      if (this.automatic && !(object as Pod).status?.phase) setImmediate(() => this.#startPod(object as Pod));
    };
  }

  async start(...names: string[]): Promise<this> {
    for (const { name, hooks } of plugins) {
      if (names.length > 0 && !names.includes(name)) continue;
      const ctx = fakeContext<Record<string, unknown>>(this.api, { id: `controller/${name}` });
      this.contexts.push(ctx);
      await hooks.start(ctx as never);
    }
    await this.quiet();
    return this;
  }

  async stop(): Promise<void> {
    for (const ctx of this.contexts) await ctx.dispose();
  }

  /** Resolves when nothing changed for a while. */
  async quiet(ms = 12): Promise<void> {
    this.#lastChange = performance.now();
    while (performance.now() - this.#lastChange < ms) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Makes pods that wait ready, oldest first, and lets the controllers act on it. Returns how many. */
  async runPods(count = Number.POSITIVE_INFINITY): Promise<number> {
    let started = 0;
    for (const pod of this.pods()) if (started < count && this.#startPod(pod)) started++;
    await this.quiet();
    return started;
  }

  /** Until nothing is left to start. */
  async settle(): Promise<void> {
    while ((await this.runPods()) > 0);
  }

  #startPod(seen: Pod): boolean {
    const pod = this.api.get<Pod>(PODS, `${seen.metadata.namespace}/${seen.metadata.name}`);
    if (!pod || pod.status?.phase || this.brokenImages.has(pod.spec.containers[0]?.image ?? '')) return false;
    this.api.put<Pod>(PODS, {
      ...pod,
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp() }] },
    });
    return true;
  }

  apply(name: string, change: (spec: Deployment['spec']) => void = () => undefined): Deployment {
    const existing = this.deployment(name);
    const deployment = structuredClone(existing) ?? deploymentNamed(name);
    change(deployment.spec);
    return this.api.put(DEPLOYMENTS, deployment);
  }

  /** What `kubectl rollout undo --to-revision` does: the template of an old replica set becomes the Deployment's. */
  undo(name: string, revision: number): void {
    const rs = this.replicaSets().find(
      (item) => item.metadata.annotations?.['deployment.kubernetes.io/revision'] === String(revision),
    ) as ReplicaSet;
    const template = structuredClone(rs.spec.template);
    delete template.metadata?.labels?.['pod-template-hash'];
    this.apply(name, (spec) => {
      spec.template = template;
    });
  }

  deployment(name: string): Deployment {
    return this.api.get<Deployment>(DEPLOYMENTS, `x/${name}`) as Deployment;
  }

  replicaSets(): ReplicaSet[] {
    return this.api.all<ReplicaSet>(REPLICA_SETS);
  }

  pods(): Pod[] {
    return this.api.all<Pod>(PODS);
  }

  readyPods(): Pod[] {
    return this.pods().filter((pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'));
  }

  /** `nginx:1 3/3, nginx:2 1/0`: each replica set by its image, wanted and ready pods; empty ones are left out. */
  picture(): string {
    const sets = this.replicaSets().filter(({ spec }) => (spec.replicas ?? 0) > 0);
    const words = sets.map((rs) => {
      const ready = this.readyPods().filter((pod) => controllerOf(pod)?.uid === rs.metadata.uid).length;
      return `${rs.spec.template.spec.containers[0]?.image} ${rs.spec.replicas}/${ready}`;
    });
    return words.sort().join(', ');
  }

  /** The ScalingReplicaSet events since the last call, with images in place of the names with hashes. */
  async transcript(): Promise<string[]> {
    const events = this.api.all<CoreEvent>(EVENTS).filter(({ reason }) => reason === 'ScalingReplicaSet');
    const lines = events.slice(this.#transcript).map(({ message = '' }) => {
      const name = /replica set (\S+)/.exec(message)?.[1] ?? '';
      const image = this.api.get<ReplicaSet>(REPLICA_SETS, `x/${name}`)?.spec.template.spec.containers[0]?.image ?? '?';
      return message.replace(name, image);
    });
    this.#transcript = events.length;
    return lines;
  }

  watchLimits(): void {
    this.mostPods = this.pods().length;
    this.fewestReady = this.readyPods().length;
  }

  condition(name: string, type: string): string | undefined {
    const condition = this.deployment(name).status?.conditions?.find((item) => item.type === type);
    return condition && `${condition.status} ${condition.reason}: ${condition.message}`;
  }
}

export function deploymentNamed(name: string): Deployment {
  return {
    metadata: { name, namespace: 'x' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'nginx:1' }] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  };
}

export function setImage(image: string): (spec: Deployment['spec']) => void {
  return (spec) => {
    (spec.template.spec.containers[0] as { image: string }).image = image;
  };
}
