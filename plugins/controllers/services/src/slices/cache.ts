import type { EndpointSlice } from '@kubernel/sdk/api';
import { type Client, ENDPOINT_SLICES, type Informer, isNotFound, objectKey } from '@kubernel/sdk/client';

/** Longer than any informer lags that still works. */
const FORGET_MS = 60_000;

/**
 * The slices of services as the informer has them, with this controller's own writes on top until the informer brings
 * them: without that, the sync after a create would not see the new slice and create it again.
 */
export class SliceCache {
  readonly #client: Client;
  readonly #informer: Informer<EndpointSlice>;
  /** By slice key; undefined: deleted. */
  readonly #written = new Map<string, { owner: string; slice: EndpointSlice | undefined; revision: number; at: number }>();

  constructor(client: Client, informer: Informer<EndpointSlice>) {
    this.#client = client;
    this.#informer = informer;
    const seen = (slice: EndpointSlice): void => {
      const key = objectKey(slice);
      const written = this.#written.get(key);
      if (written?.slice && written.revision <= Number(slice.metadata.resourceVersion)) this.#written.delete(key);
    };
    informer.on({ add: seen, update: seen, delete: (slice) => this.#written.delete(objectKey(slice)) });
  }

  /** `owner`: the key of the service, which is the informer's index `service` too. */
  of(owner: string): EndpointSlice[] {
    const slices = new Map(this.#informer.byIndex('service', owner).map((slice) => [objectKey(slice), slice]));
    if (this.#written.size > 0) {
      const now = Date.now();
      for (const [key, written] of this.#written) {
        if (now - written.at > FORGET_MS) this.#written.delete(key);
        else if (written.owner === owner) {
          if (written.slice) slices.set(key, written.slice);
          else slices.delete(key);
        }
      }
    }
    return [...slices.values()].filter(({ metadata }) => !metadata.deletionTimestamp);
  }

  async create(owner: string, slice: EndpointSlice): Promise<void> {
    this.#note(owner, await this.#client.create(ENDPOINT_SLICES, slice));
  }

  async update(owner: string, slice: EndpointSlice): Promise<void> {
    try {
      this.#note(owner, await this.#client.update(ENDPOINT_SLICES, slice));
    } catch (error) {
      this.#written.delete(objectKey(slice));
      if (!isNotFound(error)) throw error;
    }
  }

  async delete(owner: string, slice: EndpointSlice): Promise<void> {
    const { name = '', namespace = '' } = slice.metadata;
    const key = objectKey(slice);
    try {
      this.#written.set(key, { owner, slice: undefined, revision: 0, at: Date.now() });
      await this.#client.delete(ENDPOINT_SLICES, name, { namespace });
    } catch (error) {
      this.#written.delete(key);
      if (!isNotFound(error)) throw error;
    }
    // The informer may have been told of the deletion before this answer came.
    if (!this.#informer.get(key)) this.#written.delete(key);
  }

  #note(owner: string, slice: EndpointSlice): void {
    const revision = Number(slice.metadata.resourceVersion);
    const known = this.#informer.get(objectKey(slice));
    if (known && Number(known.metadata.resourceVersion) >= revision) return;
    this.#written.set(objectKey(slice), { owner, slice, revision, at: Date.now() });
  }
}
