import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWorkQueue, type WorkQueue } from './workqueue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = (await queue.take()) as string;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

test('a key added twice is taken once, in the order of first adding', async () => {
  const queue = createWorkQueue();
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  expect(await takeAll(queue)).toEqual(['a', 'b', 'c']);
});

test('a key added while it is worked on comes again when that is done, and not before', async () => {
  const queue = createWorkQueue();
  queue.add('a');
  expect(await queue.take()).toBe('a');
  queue.add('a');
  queue.add('a');
  queue.add('b');
  expect(queue.length).toBe(1);
  queue.done('a');
  expect(await takeAll(queue)).toEqual(['b', 'a']);
});

test('a taker that waits gets the next key at once', async () => {
  const queue = createWorkQueue();
  const taken = Promise.all([queue.take(), queue.take()]);
  queue.add('a');
  queue.add('b');
  expect(await taken).toEqual(['a', 'b']);
});

test('a failing key waits twice as long each time, and starts over once it is well', () => {
  const queue = createWorkQueue();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    queue.addRateLimited('a');
    const start = performance.now();
    while (queue.length === 0) vi.advanceTimersByTime(1);
    waits.push(performance.now() - start);
    void queue.take();
    queue.done('a');
  }
  expect(waits).toEqual([5, 10, 20, 40]);
  expect(queue.retries('a')).toBe(4);
  queue.forget('a');
  queue.addRateLimited('a');
  vi.advanceTimersByTime(5);
  expect(queue.length).toBe(1);
  queue.shutdown();
});

test('the longest wait is 1000 s', () => {
  const queue = createWorkQueue();
  for (let i = 0; i < 30; i++) {
    queue.addRateLimited('a');
    vi.advanceTimersByTime(1_000_000);
    void queue.take();
    queue.done('a');
  }
  queue.addRateLimited('a');
  vi.advanceTimersByTime(999_999);
  expect(queue.length).toBe(0);
  vi.advanceTimersByTime(1);
  expect(queue.length).toBe(1);
  queue.shutdown();
});

test('many failing keys share one rate: 100 at once, then 10 a second', () => {
  const queue = createWorkQueue();
  for (let i = 0; i < 130; i++) queue.addRateLimited(`k${i}`);
  vi.advanceTimersByTime(10);
  expect(queue.length).toBe(100);
  vi.advanceTimersByTime(1000);
  expect(queue.length).toBe(110);
  vi.advanceTimersByTime(2000);
  expect(queue.length).toBe(130);
  queue.shutdown();
});

test('delayed keys come in the order of their times, the earlier of two for the same key', async () => {
  const queue = createWorkQueue();
  queue.addAfter('late', 300);
  queue.addAfter('soon', 100);
  queue.addAfter('moved', 500);
  queue.addAfter('moved', 50);
  queue.addAfter('soon', 200);
  vi.advanceTimersByTime(99);
  expect(await takeAll(queue)).toEqual(['moved']);
  vi.advanceTimersByTime(1);
  expect(await takeAll(queue)).toEqual(['soon']);
  vi.advanceTimersByTime(1000);
  expect(await takeAll(queue)).toEqual(['late']);
});

test('after shutdown what is ready is still taken, and then takers are told to end', async () => {
  const queue = createWorkQueue();
  queue.add('a');
  queue.addAfter('delayed', 10);
  queue.shutdown();
  queue.add('ignored');
  vi.advanceTimersByTime(100);
  expect(await queue.take()).toBe('a');
  expect(await queue.take()).toBeUndefined();
  const waiting = createWorkQueue();
  const taken = waiting.take();
  waiting.shutdown();
  expect(await taken).toBeUndefined();
});

test('metrics tell depth, waiting and work', async () => {
  const seen: string[] = [];
  const queue = createWorkQueue({
    metrics: {
      added: () => seen.push('added'),
      depth: (length) => seen.push(`depth ${length}`),
      waited: (seconds) => seen.push(`waited ${seconds}`),
      worked: (seconds) => seen.push(`worked ${seconds}`),
    },
  });
  queue.add('a');
  vi.advanceTimersByTime(2000);
  await queue.take();
  vi.advanceTimersByTime(500);
  queue.done('a');
  expect(seen).toEqual(['added', 'depth 1', 'waited 2', 'depth 0', 'worked 0.5']);
});
