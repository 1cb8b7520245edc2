import type { DefaultFunction, FieldSchema, TypeRef } from '@kubernel/sdk';
import type { TypeRegistry } from './type-registry.ts';

/**
 * The defaulting walk: a type's own function first, then declared defaults of its fields, then its children; as upstream's generated
 * code does. Only branches that lead to something with defaults are walked.
 */
type Fill = (value: Record<string, unknown>) => void;

export class Defaulting {
  readonly #types: TypeRegistry;
  readonly #fills = new Map<string, Fill | undefined>();
  readonly #reaches = new Map<string, boolean>();

  constructor(types: TypeRegistry) {
    this.#types = types;
  }

  /** Fills in defaults, in place. */
  apply(type: string, value: Record<string, unknown>): void {
    this.#fillOf(type)?.(value);
  }

  #fillOf(type: string): Fill | undefined {
    if (this.#fills.has(type)) return this.#fills.get(type);
    if (!this.#reachesDefaults(type, new Set())) {
      this.#fills.set(type, undefined);
      return undefined;
    }
    const own: DefaultFunction | undefined = this.#types.defaultsOf(type);
    const declared: [name: string, value: unknown, pointer: boolean][] = [];
    const children: [name: string, walk: (value: unknown) => void][] = [];
    const fill: Fill = (value) => {
      own?.(value);
      for (const [name, fallback, pointer] of declared)
        if (value[name] === undefined || value[name] === null || (!pointer && !value[name])) value[name] = fallback;
      for (const [name, walk] of children) {
        const child = value[name];
        if (child !== undefined && child !== null) walk(child);
      }
    };
    this.#fills.set(type, fill); // before the children: types may be recursive
    for (const field of this.#types.schema(type).fields.values()) {
      if (isDefault(field)) declared.push([field.name, field.default, field.pointer]);
      const walk = this.#walkOf(field.type);
      if (walk) children.push([field.name, walk]);
    }
    return fill;
  }

  #walkOf(type: TypeRef): ((value: unknown) => void) | undefined {
    if (type.kind === 'ref') {
      const fill = this.#fillOf(type.name);
      return fill && ((value) => fill(value as Record<string, unknown>));
    }
    if (type.kind === 'list') {
      const walk = this.#walkOf(type.of);
      return walk && ((value) => (value as unknown[]).forEach(walk));
    }
    if (type.kind === 'map') {
      const walk = this.#walkOf(type.of);
      return walk && ((value) => Object.values(value as object).forEach(walk));
    }
    return undefined;
  }

  #reachesDefaults(type: string, path: Set<string>): boolean {
    const known = this.#reaches.get(type);
    if (known !== undefined) return known;
    if (path.has(type) || !this.#types.has(type)) return false;
    path.add(type);
    let reaches = this.#types.defaultsOf(type) !== undefined;
    for (const field of this.#types.schema(type).fields.values()) {
      if (reaches) break;
      reaches = isDefault(field) || this.#refsOf(field.type).some((name) => this.#reachesDefaults(name, path));
    }
    path.delete(type);
    // inside a recursion "no" is only known for the outermost type
    if (reaches || path.size === 0) this.#reaches.set(type, reaches);
    return reaches;
  }

  #refsOf(type: TypeRef): string[] {
    if (type.kind === 'ref') return [type.name];
    if (type.kind === 'list' || type.kind === 'map') return this.#refsOf(type.of);
    return [];
  }
}

/** A zero value as default of what is no pointer changes nothing. */
function isDefault({ default: fallback, pointer }: FieldSchema): boolean {
  return fallback !== undefined && (pointer || Boolean(fallback));
}
