import type { ApiGroup, ResourceDefinition } from '@kubernel/sdk';

/** Upstream's priority of groups that come from definitions. */
const PRIORITY = 1000;

/** The groups that custom resources make up. */
export class CustomGroups {
  readonly #definitions: () => Iterable<{ definitions: readonly ResourceDefinition[] }>;
  #groups: Map<string, ApiGroup> | undefined;
  #stale = new Set<string>();
  #list: readonly ApiGroup[] | undefined;

  constructor(definitions: () => Iterable<{ definitions: readonly ResourceDefinition[] }>) {
    this.#definitions = definitions;
  }

  /** What is served has changed; `definitions` before and after. */
  change(definitions: readonly ResourceDefinition[]): void {
    for (const { group } of definitions) this.#stale.add(group);
    this.#list = undefined;
  }

  /** By name. A group keeps its object until something in it changes. */
  list(): readonly ApiGroup[] {
    if (!this.#list) {
      this.#make();
      this.#list = [...(this.#groups?.values() ?? [])].sort((a, b) => (a.group < b.group ? -1 : 1));
    }
    return this.#list;
  }

  #make(): void {
    const groups = new Map<string, ResourceDefinition[]>();
    for (const { definitions } of this.#definitions()) {
      for (const definition of definitions) {
        const known = groups.get(definition.group);
        if (known) known.push(definition);
        else groups.set(definition.group, [definition]);
      }
    }
    const next = new Map<string, ApiGroup>();
    for (const [group, resources] of groups) {
      const before = this.#stale.has(group) ? undefined : this.#groups?.get(group);
      next.set(group, before ?? { group, versions: versionsOf(resources), priority: PRIORITY, types: {}, resources });
    }
    this.#groups = next;
    this.#stale.clear();
  }
}

function versionsOf(resources: readonly ResourceDefinition[]): string[] {
  return [...new Set(resources.map(({ version }) => version))].sort(byStability);
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/** v10, v2, v1, v2beta1, v1beta2, v1alpha1, and then whatever is no Kubernetes version, by name. */
function byStability(a: string, b: string): number {
  const [left, right] = [VERSION.exec(a), VERSION.exec(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : 1;
  const rank = (parts: RegExpExecArray): number => (parts[2] === undefined ? 2 : parts[2] === 'beta' ? 1 : 0);
  return rank(right) - rank(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0);
}
