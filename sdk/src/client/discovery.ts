import type { ResourceRef } from '../api/object.ts';
import type { ApiResponse } from '../roles/apiserver.ts';
import type { Client } from './client.ts';
import { errorOf } from './rest-client.ts';

/** A resource that the server serves, in its preferred version. */
export interface DiscoveredResource extends ResourceRef {
  kind: string;
  verbs: readonly string[];
}

export interface Discovery {
  resources: DiscoveredResource[];
  /** `group/version` of those that could not be asked (an aggregated API server that is down): what they serve is not known. */
  stale: string[];
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/**
 * What the server serves, each resource once, in the version the server prefers for it. Two requests with aggregated
 * discovery (KEP-3352), one per group version with a server that has none. Subresources are left out.
 */
export async function discover(client: Client): Promise<Discovery> {
  const [core, groups] = await Promise.all([get(client, '/api', AGGREGATED), get(client, '/apis', AGGREGATED)]);
  if (isAggregated(core) && isAggregated(groups)) return fromAggregated([...core.items, ...groups.items]);
  return fromLegacy(client, core as unknown as LegacyVersions, groups as unknown as LegacyGroups);
}

interface AggregatedList {
  kind: 'APIGroupDiscoveryList';
  items: {
    metadata: { name?: string };
    versions: {
      version: string;
      freshness?: string;
      resources?: {
        resource: string;
        scope: string;
        verbs: string[];
        responseKind?: { group?: string; version?: string; kind?: string };
      }[];
    }[];
  }[];
}

interface LegacyVersions {
  versions?: string[];
}

interface LegacyGroups {
  groups?: { name: string; versions: { version: string; groupVersion: string }[]; preferredVersion?: { version: string } }[];
}

function isAggregated(value: unknown): value is AggregatedList {
  return (value as { kind?: unknown } | null)?.kind === 'APIGroupDiscoveryList';
}

function fromAggregated(groups: AggregatedList['items']): Discovery {
  const found = new Map<string, DiscoveredResource>();
  const stale: string[] = [];
  for (const { metadata, versions } of groups) {
    const group = metadata.name ?? '';
    for (const { version, resources = [], freshness } of versions) {
      if (freshness === 'Stale') stale.push(`${group}/${version}`);
      for (const { resource, scope, verbs, responseKind } of resources) {
        const key = `${group}/${resource}`;
        if (found.has(key)) continue;
        found.set(key, discovered(group, version, resource, responseKind?.kind ?? '', verbs, scope === 'Namespaced'));
      }
    }
  }
  return { resources: [...found.values()], stale };
}

async function fromLegacy(client: Client, core: LegacyVersions, groups: LegacyGroups): Promise<Discovery> {
  const versions: { group: string; version: string }[] = (core.versions ?? []).map((version) => ({ group: '', version }));
  for (const { name, versions: served, preferredVersion } of groups.groups ?? []) {
    const preferred = preferredVersion?.version;
    const inOrder = [...served].sort((a, b) => Number(b.version === preferred) - Number(a.version === preferred));
    for (const { version } of inOrder) versions.push({ group: name, version });
  }
  const stale: string[] = [];
  const lists = await Promise.all(
    versions.map(async ({ group, version }) => {
      try {
        const list = await get(client, group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
        return { group, version, resources: (list as { resources?: LegacyResource[] }).resources ?? [] };
      } catch {
        stale.push(`${group}/${version}`);
        return { group, version, resources: [] };
      }
    }),
  );
  const found = new Map<string, DiscoveredResource>();
  for (const { group, version, resources } of lists) {
    for (const { name, kind, verbs, namespaced } of resources) {
      const key = `${group}/${name}`;
      if (!name.includes('/') && !found.has(key)) found.set(key, discovered(group, version, name, kind, verbs, namespaced));
    }
  }
  return { resources: [...found.values()], stale };
}

interface LegacyResource {
  name: string;
  kind: string;
  verbs: string[];
  namespaced: boolean;
}

function discovered(
  group: string,
  version: string,
  resource: string,
  kind: string,
  verbs: string[],
  namespaced: boolean,
): DiscoveredResource {
  return { group, version, resource, kind, verbs, ...(namespaced ? {} : { clusterScoped: true }) };
}

async function get(client: Client, path: string, accept?: string): Promise<unknown> {
  let response = await client.request({ method: 'GET', path, ...(accept ? { accept: `${accept},application/json` } : {}) });
  if (response.code === 406 && accept) response = await client.request({ method: 'GET', path });
  return body(response);
}

function body(response: ApiResponse): unknown {
  if (response.code >= 300) throw errorOf(response);
  return JSON.parse(response.body);
}
