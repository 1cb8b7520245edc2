import type { Selector } from '@kubernel/sdk/api';

/**
 * Finds the selectors that a pod's labels match without trying all: each is filed under the values one of its equality
 * requirements allows. Those without one are always tried.
 */
export class SelectorIndex<T extends { readonly selectors: readonly Selector[] }> {
  readonly #byLabel = new Map<string, Map<string, Set<T>>>();
  readonly #others = new Set<T>();

  add(item: T): void {
    const filed = this.#places(item);
    if (!filed) {
      this.#others.add(item);
      return;
    }
    for (const value of filed.values) {
      let byValue = this.#byLabel.get(filed.key);
      if (!byValue) this.#byLabel.set(filed.key, (byValue = new Map()));
      let items = byValue.get(value);
      if (!items) byValue.set(value, (items = new Set()));
      items.add(item);
    }
  }

  remove(item: T): void {
    const filed = this.#places(item);
    if (!filed) {
      this.#others.delete(item);
      return;
    }
    const byValue = this.#byLabel.get(filed.key);
    for (const value of filed.values) {
      const items = byValue?.get(value);
      items?.delete(item);
      if (items?.size === 0) byValue?.delete(value);
    }
    if (byValue?.size === 0) this.#byLabel.delete(filed.key);
  }

  /** Calls `visit` for what may match; it has to check. */
  candidates(labels: Readonly<Record<string, string>>, visit: (item: T) => void): void {
    for (const item of this.#others) visit(item);
    if (this.#byLabel.size === 0) return;
    for (const key in labels) {
      const items = this.#byLabel.get(key)?.get(labels[key] as string);
      if (items) for (const item of items) visit(item);
    }
  }

  #places(item: T): { key: string; values: readonly string[] } | undefined {
    for (const selector of item.selectors) {
      for (const { key, operator, values } of selector.requirements) {
        if (operator === '=' || operator === '==' || operator === 'in') return { key, values };
      }
    }
    return undefined;
  }
}
