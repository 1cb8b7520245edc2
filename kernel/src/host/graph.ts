import { pluginCycle } from '../errors.ts';
import { KERNEL_ROLES, type PluginSpec } from './resolve.ts';

/**
 * Which plugins must run before each one: the providers of the roles it requires, and for a host plugin the extensions
 * it calls. The kernel's own store needs the storage.
 */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/** @throws ERR_PLUGIN_CYCLE that shows the path. */
export function dependencies(specs: readonly PluginSpec[]): Dependencies {
  const byRole = new Map<string, string[]>();
  for (const spec of specs) byRole.set(spec.role, [...(byRole.get(spec.role) ?? []), spec.id]);
  const edges = new Map<string, string[]>();
  for (const spec of specs) {
    const needs = new Set<string>();
    for (const { role } of spec.requires) {
      const providers = KERNEL_ROLES.includes(role)
        ? role === 'store/v1'
          ? (byRole.get('storage/v1') ?? [])
          : []
        : (byRole.get(role) ?? []);
      for (const id of providers) if (id !== spec.id) needs.add(id);
    }
    for (const other of specs) if (other.hostId === spec.id) needs.add(other.id);
    edges.set(spec.id, [...needs]);
  }
  refuseCycles(edges);
  return edges;
}

/** Everything that depends on these plugins, directly or not: what must be told when they go. */
export function dependents(edges: Dependencies, ids: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const visit = (id: string): void => {
    for (const [other, needs] of edges) {
      if (found.has(other) || !needs.includes(id)) continue;
      found.add(other);
      visit(other);
    }
  };
  for (const id of ids) visit(id);
  return found;
}

function refuseCycles(edges: Dependencies): void {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (id: string): void => {
    const at = path.indexOf(id);
    if (at >= 0) throw pluginCycle([...path.slice(at), id]);
    if (done.has(id)) return;
    path.push(id);
    for (const next of edges.get(id) ?? []) visit(next);
    path.pop();
    done.add(id);
  };
  for (const id of edges.keys()) visit(id);
}
