import type { ApiGroup, ResourceDefinition, Strategy, Subresource, Verb } from '@kubernel/sdk';
import type { Entry } from './cache/entry.ts';
import type { ResourceCache } from './cache/resource-cache.ts';
import type { WatchCache } from './cache/watch-cache.ts';
import type { Codec } from './codec.ts';
import { CustomGroups } from './crd/custom-groups.ts';

/** A served resource: what its group says about it, and where its objects are. */
export interface Resource {
  readonly definition: ResourceDefinition;
  readonly group: string;
  readonly version: string;
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly type: string;
  readonly verbs: ReadonlySet<Verb>;
  readonly strategy: Strategy;
  readonly subresources: Readonly<Record<string, Subresource>>;
  /** Objects of this resource; shared by all versions of it. */
  readonly cache: ResourceCache;
  /** Only where this version is not the stored one: the object's text in this version. */
  readonly convert: ((entry: Entry) => string) | undefined;
  /** Custom resources: list items show their kind and apiVersion. */
  readonly keepsTypeMeta: boolean;
}

/** Finds resources by group, version and plural. Rebuilt as a whole when the set of groups changes; custom resources come and go. */
export class Registry {
  readonly #builtIn: readonly ApiGroup[];
  readonly #resources = new Map<string, Resource>();
  readonly #byGroupResource = new Map<string, Resource>();
  readonly #versions = new Set<string>();
  readonly #cache: WatchCache;
  readonly #codec: Codec;
  readonly #custom: Map<string, Custom>;
  #customGroups: CustomGroups | undefined;
  /** Counts changes of what is served. */
  revision = 0;

  /** `before`: whose custom resources are served on. */
  constructor(groups: readonly ApiGroup[], cache: WatchCache, codec: Codec, before?: Registry) {
    this.#cache = cache;
    this.#codec = codec;
    this.#builtIn = [...groups].sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    this.#custom = before ? before.#custom : new Map();
    for (const group of this.#builtIn) {
      for (const version of group.versions) this.#versions.add(`${group.group}/${version}`);
      for (const definition of group.resources) {
        const resource = toResource(definition, cache, codec);
        this.#versions.add(`${resource.group}/${resource.version}`);
        this.#resources.set(`${resource.group}/${resource.version}/${resource.plural}`, resource);
        const any = `${resource.group}/${resource.plural}`;
        if (!this.#byGroupResource.has(any) || !definition.storedAs) this.#byGroupResource.set(any, resource);
      }
    }
    for (const custom of this.#custom.values()) this.#addCustom(custom);
  }

  /** Serves a CustomResourceDefinition's resources in place of what the same name stood for; without any, no longer. */
  setCustom(name: string, definitions: readonly ResourceDefinition[], converters: Converters): void {
    const before = this.#custom.get(name);
    for (const { group, version, plural } of before?.definitions ?? []) {
      this.#resources.delete(`${group}/${version}/${plural}`);
      this.#byGroupResource.delete(`${group}/${plural}`);
    }
    this.#custom.delete(name);
    if (definitions.length > 0) {
      const custom = { definitions, converters };
      this.#custom.set(name, custom);
      this.#addCustom(custom);
    }
    this.#customGroups?.change([...(before?.definitions ?? []), ...definitions]);
    this.revision++;
  }

  #addCustom({ definitions, converters }: Custom): void {
    const fields = Object.assign({}, ...definitions.map(({ selectableFields }) => selectableFields));
    for (const definition of definitions) {
      const key = `${definition.group}/${definition.version}/${definition.plural}`;
      // What is built in stays what it is.
      if (this.#resources.has(key)) continue;
      const resource = toResource(definition, this.#cache, this.#codec, converters.get(definition.type));
      resource.cache.setFields(fields);
      this.#resources.set(key, resource);
      const any = `${definition.group}/${definition.plural}`;
      if (!this.#byGroupResource.has(any) || !definition.storedAs) this.#byGroupResource.set(any, resource);
    }
  }

  /** The groups of custom resources, as if each were a plugin's. The same object as long as nothing in the group changes. */
  get customGroups(): readonly ApiGroup[] {
    this.#customGroups ??= new CustomGroups(() => this.#custom.values());
    return this.#customGroups.list();
  }

  /** Everything that is served, as discovery lists it. */
  get groups(): readonly ApiGroup[] {
    return [...this.#builtIn, ...this.customGroups];
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#resources.get(`${group}/${version}/${plural}`);
  }

  /** In whatever version it is stored as. */
  any(group: string, plural: string): Resource | undefined {
    return this.#byGroupResource.get(`${group}/${plural}`);
  }

  hasBuiltInGroup(group: string): boolean {
    return this.#builtIn.some((own) => own.group === group);
  }

  hasVersion(group: string, version: string): boolean {
    return (
      this.#versions.has(`${group}/${version}`) || this.customGroups.some((own) => own.group === group && own.versions.includes(version))
    );
  }

  get resources(): IterableIterator<Resource> {
    return this.#resources.values();
  }
}

type Converters = ReadonlyMap<string, (entry: Entry) => string>;

interface Custom {
  definitions: readonly ResourceDefinition[];
  /** By type name. */
  converters: Converters;
}

function toResource(definition: ResourceDefinition, cache: WatchCache, codec: Codec, convert?: (entry: Entry) => string): Resource {
  const { group, version, kind, plural, storedAs } = definition;
  const storedGroup = storedAs?.group ?? group;
  const objects = cache.resource(`${storedGroup || 'core'}/${plural}/`);
  if (!definition.custom && (!storedAs || Object.keys(objects.fields).length === 0)) objects.fields = definition.selectableFields ?? {};
  const apiVersion = group ? `${group}/${version}` : version;
  return {
    definition,
    group,
    version,
    apiVersion,
    kind,
    listKind: definition.listKind ?? `${kind}List`,
    plural,
    namespaced: definition.namespaced,
    type: definition.type,
    verbs: new Set(definition.verbs),
    strategy: definition.strategy ?? {},
    subresources: definition.subresources ?? {},
    cache: objects,
    keepsTypeMeta: definition.custom === true,
    convert: convert ?? (storedAs ? converter(definition, apiVersion, codec) : undefined),
  };
}

/** Another version's text of an object, made once for each version of the object and as long as somebody uses it. */
function converter(definition: ResourceDefinition, apiVersion: string, codec: Codec): (entry: Entry) => string {
  const texts = new WeakMap<Entry, string>();
  return (entry) => {
    let text = texts.get(entry);
    if (text === undefined) {
      const object = definition.storedAs?.fromStored(entry.clone()) ?? entry.clone();
      const { kind: _kind, apiVersion: _version, ...rest } = codec.normalize(definition.type, object);
      text = JSON.stringify({ kind: definition.kind, apiVersion, ...rest });
      texts.set(entry, text);
    }
    return text;
  };
}

/** An object's text as this resource serves it. */
export function textOf(resource: Resource, entry: Entry): string {
  return resource.convert ? resource.convert(entry) : entry.text;
}

/** `core/pods/default/web`. */
export function keyOf(resource: Resource, namespace: string, name: string): string {
  return resource.namespaced ? `${resource.cache.prefix}${namespace}/${name}` : `${resource.cache.prefix}${name}`;
}
