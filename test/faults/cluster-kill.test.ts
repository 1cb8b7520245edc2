import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawApi } from '../e2e/api.ts';
import { TestCluster } from '../e2e/cluster.ts';

const KILLS = 20;
/** Writes under way at once: enough for well over 1,000 a second. */
const WRITERS = 16;
const NAMESPACE = '/api/v1/namespaces/default/configmaps';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start('golden.yaml');
});

afterAll(async () => {
  await cluster?.stop();
});

interface Round {
  acknowledged: string[];
  watched: Set<string>;
  perSecond: number;
}

/** Writes as fast as it goes, is watched meanwhile, and kills the cluster in the middle. */
async function writeAndKill(round: number): Promise<Round> {
  const api = new RawApi(cluster.kubeconfig);
  const acknowledged: string[] = [];
  const watched = new Set<string>();
  const { metadata } = JSON.parse((await api.send('GET', `${NAMESPACE}?limit=1`)).body) as { metadata: { resourceVersion: string } };
  const watching = api.watch(`${NAMESPACE}?watch=1&resourceVersion=${metadata.resourceVersion}`, (line) => {
    const name = /"name":"(w\d+-\d+)"/.exec(line)?.[1];
    if (name) watched.add(name);
  });
  let stopped = false;
  let next = 0;
  const writer = async (): Promise<void> => {
    while (!stopped) {
      const name = `w${round}-${next++}`;
      const answer = await api
        .send('POST', NAMESPACE, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'x'.repeat(500) } })
        .catch(() => undefined);
      if (answer === undefined) return;
      if (answer.code === 201) acknowledged.push(name);
    }
  };
  const began = performance.now();
  const writing = Promise.all(Array.from({ length: WRITERS }, writer));
  // A different moment each time: in the middle of a burst, a commit, a checkpoint.
  await new Promise((resolve) => setTimeout(resolve, 300 + ((round * 137) % 400)));
  const seconds = (performance.now() - began) / 1000;
  await cluster.kill('SIGKILL');
  stopped = true;
  await writing;
  await watching;
  api.close();
  return { acknowledged, watched, perSecond: acknowledged.length / seconds };
}

describe('kill -9 under writes', () => {
  it(`loses nothing acknowledged and shows nothing that is lost, ${KILLS} times`, async () => {
    const acknowledged = new Set<string>();
    const rates: number[] = [];
    for (let round = 0; round < KILLS; round++) {
      const result = await writeAndKill(round);
      rates.push(result.perSecond);
      for (const name of result.acknowledged) acknowledged.add(name);
      await cluster.up();
      const api = new RawApi(cluster.kubeconfig);
      const list = JSON.parse((await api.send('GET', NAMESPACE)).body) as { items: { metadata: { name: string } }[] };
      api.close();
      const kept = new Set(list.items.map((item) => item.metadata.name));
      expect([...acknowledged].filter((name) => !kept.has(name))).toEqual([]);
      expect([...result.watched].filter((name) => !kept.has(name))).toEqual([]);
      expect(result.watched.size).toBeGreaterThan(0);
    }
    const median = rates.sort((a, b) => a - b)[KILLS / 2] as number;
    console.log(`${acknowledged.size} acknowledged writes over ${KILLS} kills, at a median of ${Math.round(median)}/s`);
  }, 180_000);
});
