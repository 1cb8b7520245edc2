import type { ApiService } from '@kubernel/sdk';
import { semanticEqual } from '@kubernel/sdk/api';
import { type Api, timestamp } from '../api.ts';
import type { Entry } from '../cache/entry.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { removeInstances } from './cleanup.ts';
import type { CustomTypes } from './custom-type.ts';
import { CRD_GROUP, CRD_PLURAL, type CustomResourceDefinition, isTrue, type Names } from './definition.ts';
import { judgeNames } from './names.ts';
import { customResources } from './resources.ts';

const PATH = `/apis/${CRD_GROUP}/v1/${CRD_PLURAL}`;

interface Served {
  /** Changes when anything about what is served does. */
  generation: string;
  types: string[];
}

/**
 * Keeps what is served equal to the CustomResourceDefinitions that are stored: one definition's change touches that definition's
 * resources only. Decides about names, establishes, and empties a definition that is being deleted.
 */
export class CustomResourceServer {
  readonly #api: Api;
  readonly #types: CustomTypes;
  readonly #service: ApiService;
  readonly #definitions: ResourceCache;
  readonly #served = new Map<string, Served>();
  /** By definition; also those whose status is still on its way to the store. */
  readonly #names = new Map<string, { group: string; accepted: Partial<Names> }>();
  readonly #writing = new Map<string, Promise<void>>();
  readonly #removing = new Set<string>();

  constructor(api: Api, types: CustomTypes, service: ApiService) {
    this.#api = api;
    this.#types = types;
    this.#service = service;
    this.#definitions = api.cache.resource(`${CRD_GROUP}/${CRD_PLURAL}/`);
  }

  /** Serves what is there; after the cache's first snapshot. */
  start(): void {
    this.#definitions.listen((events) => {
      for (const { key, entry } of events) {
        if (entry) this.#changed(entry);
        else this.#gone(key.slice(this.#definitions.prefix.length));
      }
    });
    let stale = false;
    this.#api.cache.onReset(() => {
      stale = true;
    });
    this.#api.cache.onProgress(() => {
      if (!stale || !this.#api.cache.ready) return;
      stale = false;
      this.#readAll();
    });
    this.#readAll();
  }

  #readAll(): void {
    const entries = this.#definitions.ordered('');
    const present = new Set(entries.map((entry) => this.#nameOf(entry)));
    for (const name of [...this.#served.keys()]) if (!present.has(name)) this.#gone(name);
    for (const entry of entries) {
      const { spec, status } = definitionOf(entry);
      if (status?.acceptedNames) this.#names.set(this.#nameOf(entry), { group: spec.group, accepted: status.acceptedNames });
    }
    for (const entry of entries) this.#changed(entry);
  }

  #nameOf(entry: Entry): string {
    return entry.key.slice(this.#definitions.prefix.length);
  }

  /** A definition that cannot be served must not keep the others, or the cache that tells of them, from going on. */
  #changed(entry: Entry): void {
    try {
      this.#act(this.#nameOf(entry), definitionOf(entry), entry);
    } catch (error) {
      this.#api.log.error('a custom resource definition cannot be served', { key: entry.key, error: String(error) });
    }
  }

  #act(name: string, crd: CustomResourceDefinition, entry: Entry): void {
    if (isTrue(crd, 'Established')) this.#serve(name, crd, entry);
    if (crd.metadata.deletionTimestamp) this.#remove(name);
    else this.#judge(name, crd);
  }

  #gone(name: string): void {
    const group = this.#names.get(name)?.group;
    this.#names.delete(name);
    this.#drop(name);
    // Its names are free: somebody may have waited for them.
    for (const entry of group ? this.#definitions.ordered('') : []) {
      const crd = definitionOf(entry);
      if (crd.spec.group === group && !isTrue(crd, 'NamesAccepted') && !crd.metadata.deletionTimestamp)
        this.#judge(this.#nameOf(entry), crd);
    }
  }

  // ---------------------------------------------------------------------------------------------- serving

  #serve(name: string, crd: CustomResourceDefinition, entry: Entry): void {
    const generation = `${crd.metadata.uid} ${crd.metadata.generation}`;
    if (this.#served.get(name)?.generation === generation) return;
    this.#drop(name, false);
    const load = (): CustomResourceDefinition | undefined => this.#read(name);
    const { definitions, types, converters } = customResources(crd, load, entry.revision, () => !!load()?.metadata.deletionTimestamp);
    for (const type of types) this.#types.set(type.name, type);
    this.#served.set(name, { generation, types: types.map((type) => type.name) });
    this.#api.registry.setCustom(name, definitions, converters);
  }

  #drop(name: string, unserve = true): void {
    const served = this.#served.get(name);
    if (!served) return;
    for (const type of served.types) this.#types.delete(type);
    this.#served.delete(name);
    if (unserve) this.#api.registry.setCustom(name, [], new Map());
  }

  #read(name: string): CustomResourceDefinition | undefined {
    const entry = this.#definitions.entries.get(this.#definitions.prefix + name);
    return entry && definitionOf(entry);
  }

  // ---------------------------------------------------------------------------------------------- names

  #judge(name: string, crd: CustomResourceDefinition): void {
    const { group } = crd.spec;
    const others = [...this.#names]
      .filter(([other, { group: its }]) => other !== name && its === group)
      .map(([, { accepted }]) => accepted);
    const { accepted, conditions } = judgeNames(crd, others, timestamp());
    this.#names.set(name, { group, accepted });
    const { acceptedNames, conditions: before } = crd.status ?? {};
    if (semanticEqual(accepted, acceptedNames) && semanticEqual(conditions, before)) return;
    const missing = { singular: null, shortNames: null, listKind: null, categories: null };
    const body = JSON.stringify({ status: { acceptedNames: { ...missing, ...accepted }, conditions } });
    this.#write(name, () => this.#patch(`${PATH}/${name}/status`, body));
  }

  /** One write at a time for each definition, the newest last. */
  #write(name: string, work: () => Promise<void>): void {
    const done = (this.#writing.get(name) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#writing.get(name) === done) this.#writing.delete(name);
    });
    this.#writing.set(name, done);
  }

  async #patch(path: string, body: string): Promise<void> {
    try {
      const answer = await this.#service.request({ method: 'PATCH', path: `${path}?fieldManager=kube-apiserver`, body });
      if (answer.code < 300 || answer.code === 404) return;
      this.#api.log.warn('a custom resource definition could not be updated', {
        path,
        code: answer.code,
        answer: answer.body.slice(0, 500),
      });
    } catch (error) {
      this.#api.log.warn('a custom resource definition could not be updated', { path, error: String(error) });
    }
  }

  // ---------------------------------------------------------------------------------------------- deletion

  #remove(name: string): void {
    if (this.#removing.has(name)) return;
    this.#removing.add(name);
    void removeInstances(this.#api, this.#service, name, () => this.#read(name))
      .catch((error: unknown) => this.#api.log.warn('the objects of a definition could not be removed', { name, error: String(error) }))
      .finally(() => this.#removing.delete(name));
  }
}

function definitionOf(entry: Entry): CustomResourceDefinition {
  return entry.object as CustomResourceDefinition;
}
