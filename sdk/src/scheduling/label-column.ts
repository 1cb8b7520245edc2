import type { LabelColumn } from '../roles/scheduler-policy.ts';

/** The values of one label key, interned, so that topology domains are small whole numbers. */
export class InternedLabels implements LabelColumn {
  readonly key: string;
  ids: Int32Array;
  #values: (string | undefined)[] = [undefined];
  #idOf = new Map<string, number>();

  constructor(key: string, capacity: number) {
    this.key = key;
    this.ids = new Int32Array(capacity);
  }

  get size(): number {
    return this.#values.length;
  }

  value(id: number): string | undefined {
    return this.#values[id];
  }

  id(value: string): number {
    return this.#idOf.get(value) ?? 0;
  }

  set(slot: number, labels: Readonly<Record<string, string>> | undefined): void {
    const value = labels !== undefined && Object.hasOwn(labels, this.key) ? labels[this.key] : undefined;
    this.ids[slot] = value === undefined ? 0 : this.#intern(value);
  }

  grow(capacity: number): void {
    const ids = new Int32Array(capacity);
    ids.set(this.ids);
    this.ids = ids;
  }

  #intern(value: string): number {
    let id = this.#idOf.get(value);
    if (id === undefined) {
      id = this.#values.length;
      this.#values.push(value);
      this.#idOf.set(value, id);
    }
    return id;
  }
}
