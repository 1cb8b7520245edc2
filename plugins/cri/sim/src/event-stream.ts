/** Each subscriber gets every event from its subscription on. One that reads slowly loses the oldest beyond the bound. */
export class EventStream<T> {
  readonly #subscribers = new Set<{ queue: T[]; wake: (() => void) | undefined }>();
  static readonly BOUND = 100_000;

  push(event: T): void {
    for (const subscriber of this.#subscribers) {
      subscriber.queue.push(event);
      if (subscriber.queue.length > EventStream.BOUND) subscriber.queue.shift();
      subscriber.wake?.();
    }
  }

  subscribe(): AsyncIterable<T> {
    const subscriber: { queue: T[]; wake: (() => void) | undefined } = { queue: [], wake: undefined };
    this.#subscribers.add(subscriber);
    const subscribers = this.#subscribers;
    let ended = false;
    return {
      [Symbol.asyncIterator]: () => ({
        async next(): Promise<IteratorResult<T>> {
          while (!subscriber.queue.length && !ended) await new Promise<void>((resolve) => (subscriber.wake = resolve));
          return ended ? { done: true, value: undefined } : { done: false, value: subscriber.queue.shift()! };
        },
        async return(): Promise<IteratorResult<T>> {
          ended = true;
          subscribers.delete(subscriber);
          subscriber.wake?.();
          return { done: true, value: undefined };
        },
      }),
    };
  }
}
