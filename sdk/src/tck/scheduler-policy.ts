import assert from 'node:assert/strict';
import type { KubeObject, Node, Pod, PodAffinityTerm } from '../api/index.ts';
import type { SchedulerPolicy } from '../roles/scheduler-policy.ts';
import { aNode, aPod, PolicyBench } from '../testing/policy-bench.ts';
import { Random } from './random.ts';
import type { Runner } from './runner.ts';

export interface SchedulerPolicyAdapter {
  policy: SchedulerPolicy;
  args?: Record<string, unknown>;
  /** What its informers show, by resource. */
  objects?: Record<string, readonly KubeObject[]>;
  /** Random histories per rule. Default 10. */
  histories?: number;
}

const NODES = ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'];
const STEPS = 40;
/** Pods asked about again and again: what was counted for them once has to stay true. */
const ASKED = 6;

/**
 * The conformance kit of scheduler-policy/v1: clusters in which nodes and pods of all shapes come, change and go at random,
 * and what every policy owes the scheduler in each of them.
 *
 * @example
 * import { describe, it } from 'vitest';
 * schedulerPolicyKit({ describe, it }, { policy: myPolicy });
 */
export function schedulerPolicyKit(
  { describe, it }: Runner,
  { policy, args = {}, objects = {}, histories = 10 }: SchedulerPolicyAdapter,
): void {
  const options = { nodes: [], args, objects };

  /** Plays histories and checks after each step, lest a later change hide what an earlier one left. */
  function always(name: string, check: (bench: PolicyBench, asked: Pod) => void): void {
    it(name, () => {
      for (let seed = 1; seed <= histories; seed++) {
        const history = new History(new PolicyBench(policy, options), seed);
        const asked = Array.from({ length: ASKED }, () => history.somePod('asked'));
        for (let step = 0; step < STEPS; step++) {
          history.step();
          for (const pod of asked) check(history.bench, pod);
        }
      }
    });
  }

  describe(`scheduler-policy/v1 by ${policy.name}`, () => {
    always('says the same of one node and of all at once', (bench, asked) => {
      bench.verdicts(asked);
    });

    always('gives reasons for the nodes it rejects, and for no others', (bench, asked) => {
      const verdicts = bench.verdicts(asked);
      for (const [node, reasons] of Object.entries(bench.filter(asked))) {
        assert.equal(reasons.length > 0, verdicts[node] !== 0, `${node}: verdict ${verdicts[node]}, reasons ${JSON.stringify(reasons)}`);
      }
    });

    always('knows after any history what it would know if it had just been created', (bench, asked) => {
      const fresh = new PolicyBench(policy, options, bench.cluster);
      try {
        assert.deepEqual(bench.filter(asked), fresh.filter(asked));
        assert.deepEqual(bench.score(asked), fresh.score(asked));
      } finally {
        fresh.dispose();
      }
    });

    always('keeps no trace of pods that were thought away or put there in a simulation', (bench, asked) => {
      const { cluster } = bench;
      const before = [bench.filter(asked), bench.score(asked)];
      const guest = bench.info(asked);
      for (let slot = 0; slot < cluster.nodes.size; slot++) {
        if (cluster.nodes.live[slot] === 0) continue;
        const there = [...cluster.pods(slot)];
        for (const pod of there) cluster.detach(pod, slot);
        cluster.attach(guest, slot);
        bench.filter(asked);
        cluster.detach(guest, slot);
        for (const pod of there) cluster.attach(pod, slot);
      }
      assert.deepEqual([bench.filter(asked), bench.score(asked)], before);
    });

    always('scores whole numbers from 0 to 100', (bench, asked) => {
      const scores = bench.score(asked);
      for (const [node, score] of Object.entries(scores === 'skip' ? {} : scores)) {
        assert.ok(Number.isInteger(score) && score >= 0 && score <= 100, `${node}: ${score}`);
      }
    });

    always('leaves verdicts of others alone', (bench, asked) => {
      const cycle = { pod: bench.info(asked), profile: 'default-scheduler', state: new Map() };
      const { filterAll, preFilter } = bench.instance;
      const result = preFilter?.call(bench.instance, cycle);
      if (!filterAll || result?.reject || result?.skip) return;
      const verdicts = new Uint8Array(bench.cluster.nodes.size).fill(77);
      filterAll.call(bench.instance, cycle, verdicts, 1);
      assert.ok(verdicts.every((verdict) => verdict === 77));
    });
  });
}

/** Nodes and pods that come, change and go. */
class History {
  readonly bench: PolicyBench;
  readonly #random: Random;
  readonly #pods = new Map<string, Pod>();

  constructor(bench: PolicyBench, seed: number) {
    this.bench = bench;
    this.#random = new Random(seed);
    for (const name of NODES.slice(0, 4)) bench.cluster.putNode(this.#someNode(name));
  }

  step(): void {
    const { cluster } = this.bench;
    const name = this.#pick(NODES);
    const pod = `p${this.#below(15)}`;
    switch (this.#below(8)) {
      case 0:
        cluster.putNode(this.#someNode(name));
        break;
      case 1:
        if (cluster.nodes.count > 2) cluster.removeNode(name);
        break;
      default: {
        const there = this.#pods.get(pod);
        if (there) this.bench.remove(there);
        this.#pods.delete(pod);
        if (there && this.#below(2)) break;
        const placed = this.somePod(pod);
        this.bench.place(placed, name);
        this.#pods.set(pod, placed);
      }
    }
  }

  somePod(name: string): Pod {
    const near = (): PodAffinityTerm => ({
      topologyKey: this.#pick(['zone', 'kubernetes.io/hostname']),
      labelSelector: { matchLabels: { app: this.#app() } },
    });
    const spread = () => ({ maxSkew: 1, whenUnsatisfiable: this.#pick(['DoNotSchedule', 'ScheduleAnyway']), ...near() });
    const requests = { cpu: this.#pick(['0', '100m', '1', '3']), memory: this.#pick(['0', '64Mi', '3Gi']) };
    const labels = { app: this.#app() };
    const shapes: Partial<Pod['spec']>[] = [
      {},
      { nodeName: this.#pick(NODES) },
      { tolerations: [{ key: 'dedicated', operator: this.#pick(['Exists', 'Equal']), value: 'a' }] },
      { nodeSelector: { disk: this.#pick(['ssd', 'hdd']) } },
      {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 7, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
            ],
          },
        },
      },
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near()] } } },
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near(), near()] } } },
      { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: near() }] } } },
      { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 3, podAffinityTerm: near() }] } } },
      { topologySpreadConstraints: [spread()] },
      { topologySpreadConstraints: [spread(), spread()], nodeSelector: { disk: this.#pick(['ssd', 'hdd']) } },
      { containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 80, hostPort: 8000 + this.#below(2) }] }] },
    ];
    const shape = this.#pick(shapes);
    return aPod(name, { labels, ...(shape.containers ? {} : { requests }), ...shape });
  }

  #someNode(name: string): Node {
    const labels: Record<string, string> = {};
    if (this.#below(5)) labels['zone'] = this.#pick(['a', 'b', 'c']);
    if (this.#below(2)) labels['disk'] = this.#pick(['ssd', 'hdd']);
    const effect = this.#pick(['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const);
    return aNode(name, {
      labels,
      ...(this.#below(3) ? {} : { taints: [{ key: 'dedicated', value: this.#pick(['a', 'b']), effect }] }),
      unschedulable: this.#below(6) === 0,
      allocatable: { cpu: this.#pick(['2', '4']), pods: this.#pick(['2', '5']) },
      images: this.#below(2) ? [{ names: ['app:latest'], sizeBytes: 300 * 1024 * 1024 }] : [],
    });
  }

  #app(): string {
    return this.#pick(['web', 'db', 'cache']);
  }

  #pick<T>(choices: readonly T[]): T {
    return this.#random.pick(choices);
  }

  #below(bound: number): number {
    return this.#random.below(bound);
  }
}
