import { createHash } from 'node:crypto';
import type { ApiGroup, ResourceDefinition, Subresource, SubresourceKind, Verb } from '@kubernel/sdk';
import { CHANGE_VERBS } from '@kubernel/sdk/api';

/**
 * Discovery documents (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api), legacy and aggregated (KEP-3352), as objects to
 * be serialised. Groups are listed by descending priority.
 */

interface ResourceEntry {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: readonly Verb[];
  shortNames?: readonly string[];
  categories?: readonly string[];
  storageVersionHash?: string;
}

interface GroupEntry {
  name: string;
  versions: { groupVersion: string; version: string }[];
  preferredVersion: { groupVersion: string; version: string };
}

export function byPriority(groups: Iterable<ApiGroup>): ApiGroup[] {
  return [...groups].sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
}

/** Legacy discovery: path (`/api`, `/apis`, `/apis/apps`, `/apis/apps/v1`) -> document. */
export function legacyDiscovery(groups: Iterable<ApiGroup>, serverAddress: string): Map<string, object> {
  const documents = new Map<string, object>();
  const ordered = byPriority(groups);
  const named = ordered.filter(({ group }) => group !== '');
  if (named.length < ordered.length) {
    const versions = ordered.find(({ group }) => group === '')?.versions ?? [];
    documents.set('/api', { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] });
  }
  documents.set('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(groupEntry) });
  for (const group of ordered) {
    if (group.group) documents.set(`/apis/${group.group}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) });
    for (const version of group.versions) {
      const groupVersion = joined(group.group, version);
      documents.set(group.group ? `/apis/${groupVersion}` : `/api/${version}`, {
        kind: 'APIResourceList',
        ...(group.group && { apiVersion: 'v1' }),
        groupVersion,
        resources: resourceEntries(group, version),
      });
    }
  }
  return documents;
}

function groupEntry({ group, versions }: ApiGroup): GroupEntry {
  const list = versions.map((version) => ({ groupVersion: joined(group, version), version }));
  return { name: group, versions: list, preferredVersion: list[0] as GroupEntry['preferredVersion'] };
}

function resourceEntries(group: ApiGroup, version: string): ResourceEntry[] {
  const entries: ResourceEntry[] = [];
  for (const definition of resourcesOf(group, version)) {
    const { plural, singular, namespaced, kind, verbs, shortNames, categories } = definition;
    entries.push({
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs: definition.custom ? verbs : [...verbs].sort(),
      ...(shortNames?.length && { shortNames }),
      ...(categories?.length && { categories }),
      ...(!definition.virtual && { storageVersionHash: storageVersionHash(definition) }),
    });
    for (const [name, subresource] of subresourcesOf(definition)) {
      const { group: kindGroup, version: kindVersion, kind: subKind } = kindOf(subresource, definition);
      const foreign = kindGroup !== definition.group;
      entries.push({
        name: `${plural}/${name}`,
        singularName: '',
        namespaced,
        ...(foreign && { group: kindGroup, version: kindVersion }),
        kind: subKind,
        verbs: verbsOf(subresource),
      });
    }
  }
  return entries;
}

/** Aggregated discovery of `/api` or `/apis` (apidiscovery.k8s.io/v2). */
export function aggregatedDiscovery(groups: Iterable<ApiGroup>, root: '/api' | '/apis'): object {
  const items = byPriority(groups)
    .filter(({ group }) => (group === '') === (root === '/api'))
    .map((group) => ({
      metadata: group.group ? { name: group.group } : {},
      versions: group.versions.map((version) => ({ version, resources: aggregatedResources(group, version), freshness: 'Current' })),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResources(group: ApiGroup, version: string): object[] {
  return resourcesOf(group, version).map((definition) => {
    const { plural, singular, namespaced, kind, verbs, shortNames, categories } = definition;
    const subresources = subresourcesOf(definition).map(([name, subresource]) => {
      const { group: kindGroup, version: kindVersion, kind: subKind } = kindOf(subresource, definition);
      const foreign = kindGroup !== definition.group;
      return {
        subresource: name,
        responseKind: { group: foreign ? kindGroup : '', version: foreign ? kindVersion : '', kind: subKind },
        verbs: verbsOf(subresource),
      };
    });
    return {
      resource: plural,
      responseKind: { group: '', version: '', kind },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      singularResource: singular,
      verbs: definition.custom ? verbs : [...verbs].sort(),
      ...(shortNames?.length && { shortNames }),
      ...(categories?.length && { categories }),
      ...(subresources.length && { subresources }),
    };
  });
}

function resourcesOf(group: ApiGroup, version: string): ResourceDefinition[] {
  return group.resources.filter((definition) => definition.version === version).sort((a, b) => (a.plural < b.plural ? -1 : 1));
}

function subresourcesOf({ subresources }: ResourceDefinition): [string, Subresource][] {
  return Object.entries(subresources ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a subresource's bodies are: the resource's own kind unless it says otherwise. */
export function kindOf(subresource: Subresource, { group, version, kind }: ResourceDefinition): SubresourceKind {
  if (subresource.type === 'scale') return { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  return ('kind' in subresource && subresource.kind) || { group, version, kind };
}

export function verbsOf(subresource: Subresource): readonly Verb[] {
  return 'verbs' in subresource && subresource.verbs ? [...subresource.verbs].sort() : CHANGE_VERBS;
}

/** Tells clients which version a resource is stored as, without saying it: equal for all versions of a resource. */
function storageVersionHash({ group, version, kind, storedAs, hashedVersion }: ResourceDefinition): string {
  const stored = `${storedAs?.group ?? group}/${hashedVersion ?? storedAs?.version ?? version}/${kind}`;
  return createHash('sha256').update(stored).digest().subarray(0, 8).toString('base64');
}

function joined(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}
