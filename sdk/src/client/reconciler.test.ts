import { expect, test, vi } from 'vitest';
import type { ConfigMap } from '../api/kinds/index.ts';
import { KubernelError, StatusError } from '../errors.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { createInformer } from './informer.ts';
import { createReconciler } from './reconciler.ts';
import { CONFIG_MAPS } from './resources.ts';
import { createClient } from './rest-client.ts';

test('events of an informer become keys, and of an update both owners are asked', async () => {
  const api = new FakeApi();
  const informer = createInformer<ConfigMap>(createClient(api), CONFIG_MAPS);
  const keys: string[] = [];
  const reconciler = createReconciler({ name: 'test', workers: 1, reconcile: async (key) => void keys.push(key) });
  reconciler.watch(informer, ({ data }) => (data?.owner ? [data.owner] : []));
  await reconciler.start(informer);
  await vi.waitFor(() => expect(api.watches).toBe(1));
  const object = (owner: string): ConfigMap => ({ metadata: { name: 'a', namespace: 'default' }, data: { owner } });
  api.put(CONFIG_MAPS, object('one'));
  await vi.waitFor(() => expect(keys).toEqual(['one']));
  api.put(CONFIG_MAPS, object('two'));
  await vi.waitFor(() => expect(keys).toEqual(['one', 'one', 'two']));
  await reconciler.stop();
  informer.stop();
});

test('a key is never worked on twice at once, different keys are', async () => {
  let most = 0;
  const now = new Set<string>();
  const reconciler = createReconciler({
    name: 'test',
    workers: 4,
    async reconcile(key) {
      expect(now.has(key)).toBe(false);
      now.add(key);
      most = Math.max(most, now.size);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now.delete(key);
    },
  });
  await reconciler.start();
  for (let i = 0; i < 40; i++) {
    reconciler.enqueue(`k${i % 6}`);
    if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await vi.waitFor(() => expect(reconciler.queue.length + now.size).toBe(0));
  expect(most).toBe(4);
  await reconciler.stop();
});

test('what fails is repeated until it works, conflicts quietly, others with a warning', async () => {
  const levels: string[] = [];
  const log = {
    debug: () => levels.push('debug'),
    info: () => undefined,
    warn: () => levels.push('warn'),
    error: () => levels.push('error'),
  };
  const outcomes = [new StatusError(409, 'Conflict', 'modified'), new KubernelError('ERR_API_UNAVAILABLE', 'down')];
  let calls = 0;
  const reconciler = createReconciler({
    name: 'test',
    log,
    async reconcile() {
      calls++;
      const failure = outcomes.shift();
      if (failure) throw failure;
    },
  });
  await reconciler.start();
  reconciler.enqueue('a');
  await vi.waitFor(() => expect(calls).toBe(3));
  expect(levels).toEqual(['debug', 'warn']);
  expect(reconciler.queue.retries('a')).toBe(0);
  await reconciler.stop();
});

test('a defect is told apart from a refusal, and with a limit the key waits for its next event', async () => {
  const panics: string[] = [];
  let calls = 0;
  const reconciler = createReconciler({
    name: 'test',
    maxRetries: 2,
    onPanic: (key, error) => panics.push(`${key}: ${(error as Error).message}`),
    async reconcile() {
      calls++;
      throw new TypeError('cannot read properties of undefined');
    },
  });
  await reconciler.start();
  reconciler.enqueue('a');
  await vi.waitFor(() => expect(calls).toBe(3));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(calls).toBe(3);
  expect(panics[0]).toBe('a: cannot read properties of undefined');
  reconciler.enqueue('a');
  await vi.waitFor(() => expect(calls).toBeGreaterThan(3));
  await reconciler.stop();
});

test('a reconciler that wants to look again does, after its time', async () => {
  const times: number[] = [];
  const reconciler = createReconciler({
    name: 'test',
    async reconcile() {
      times.push(performance.now());
      return times.length < 2 ? { requeueAfterMs: 20 } : undefined;
    },
  });
  await reconciler.start();
  reconciler.enqueue('a');
  await vi.waitFor(() => expect(times).toHaveLength(2));
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(19);
  await reconciler.stop();
});

test('stopping aborts the running call and waits for it', async () => {
  const abort = new AbortController();
  let ended = false;
  const reconciler = createReconciler({
    name: 'test',
    signal: abort.signal,
    async reconcile(_key, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended = true;
    },
  });
  await reconciler.start();
  reconciler.enqueue('a');
  await new Promise((resolve) => setTimeout(resolve, 5));
  abort.abort();
  await reconciler.stop();
  expect(ended).toBe(true);
});
