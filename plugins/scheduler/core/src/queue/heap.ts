/** A binary heap that can also remove and re-sort any of its items, by the position it keeps in the item. */
export class Heap<T extends { heapIndex: number }> {
  #items: T[] = [];
  #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#up(item.heapIndex);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  remove(item: T): void {
    const at = item.heapIndex;
    if (this.#items[at] !== item) return;
    const last = this.#items.pop() as T;
    item.heapIndex = -1;
    if (last === item) return;
    this.#items[at] = last;
    last.heapIndex = at;
    this.#down(at);
    this.#up(last.heapIndex);
  }

  /** The order has changed. */
  reorder(compare: (a: T, b: T) => number): void {
    this.#compare = compare;
    for (let at = (this.#items.length >> 1) - 1; at >= 0; at--) this.#down(at);
  }

  #up(start: number): void {
    const items = this.#items;
    const item = items[start] as T;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (this.#compare(item, above) >= 0) break;
      items[at] = above;
      above.heapIndex = at;
      at = parent;
    }
    items[at] = item;
    item.heapIndex = at;
  }

  #down(start: number): void {
    const items = this.#items;
    const item = items[start] as T;
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#compare(items[child + 1] as T, items[child] as T) < 0) child++;
      const below = items[child] as T;
      if (this.#compare(below, item) >= 0) break;
      items[at] = below;
      below.heapIndex = at;
      at = child;
    }
    items[at] = item;
    item.heapIndex = at;
  }
}
