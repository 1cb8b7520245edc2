/**
 * One namespace's quotas. Requests that arrive while a status write is under way wait and are then decided together, so
 * that a burst costs one write per round trip and not one per request; nobody is let in on a count that was not written.
 */
import type { ApiReader } from '@kubernel/sdk';
import { statusCode } from '@kubernel/sdk';
import type { KubeObject, Quantity } from '@kubernel/sdk/api';
import type { Client } from '@kubernel/sdk/client';
import type { Amounts } from './amounts.ts';
import { addTo, amountsOf, print, toRecord, ZERO } from './amounts.ts';
import type { Scoped } from './pods.ts';

export interface ResourceQuota extends KubeObject {
  spec?: Scoped & { hard?: Record<string, string> };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

/** A request as the ledger sees it. */
export interface Claimant {
  /** What it would add. */
  delta: Amounts;
  dryRun: boolean;
  /** Does this quota count it? Throws when it may not be counted at all. */
  counts(quota: ResourceQuota): boolean;
  refuse(why: string): Error;
}

interface Waiting {
  claimant: Claimant;
  resolve(): void;
  reject(error: unknown): void;
}

const QUOTAS = { group: '', version: 'v1', resource: 'resourcequotas' } as const;
const ATTEMPTS = 5;

export class Ledger {
  readonly #namespace: string;
  readonly #reader: ApiReader;
  readonly #client: () => Client;
  /** What this ledger wrote last, for as long as the cache is behind. */
  readonly #written = new Map<string, ResourceQuota>();
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(namespace: string, reader: ApiReader, client: () => Client) {
    this.#namespace = namespace;
    this.#reader = reader;
    this.#client = client;
  }

  get idle(): boolean {
    return !this.#busy && this.#waiting.length === 0;
  }

  /** Resolves when the request is counted; rejects with its refusal. */
  claim(claimant: Claimant): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ claimant, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#settle(batch);
    }
    this.#busy = false;
  }

  async #settle(batch: Waiting[]): Promise<void> {
    let open = batch;
    for (let attempt = 1; open.length > 0; attempt++) {
      const { admitted, changed } = this.#decide(open);
      try {
        for (const quota of changed) await this.#write(quota);
        for (const { resolve } of admitted) resolve();
        return;
      } catch (error) {
        if (statusCode(error) !== 409 || attempt === ATTEMPTS) {
          for (const { reject } of admitted) reject(error);
          return;
        }
        // Somebody else counted meanwhile (the quota controller, another API server): decide again on what is there now.
        this.#written.clear();
        await this.#reader.fresh?.();
        open = admitted;
      }
    }
  }

  /** Lets in, one after the other, who fits; refuses the rest at once. Answers the quotas that have to be written. */
  #decide(batch: Waiting[]): { admitted: Waiting[]; changed: ResourceQuota[] } {
    const quotas = this.#quotas();
    const used = new Map(quotas.map((quota) => [quota, amountsOf(quota.status?.used)]));
    const changed = new Set<ResourceQuota>();
    const admitted: Waiting[] = [];
    for (const waiting of batch) {
      const { claimant, reject } = waiting;
      try {
        const counting = quotas.filter((quota) => claimant.counts(quota));
        for (const quota of counting) checkFits(quota, used.get(quota) as Amounts, claimant);
        admitted.push(waiting);
        if (claimant.dryRun) continue;
        for (const quota of counting) {
          for (const [name, amount] of claimant.delta) {
            if (quota.status?.hard?.[name] === undefined) continue;
            addTo(used.get(quota) as Map<string, Quantity>, name, amount);
            changed.add(quota);
          }
        }
      } catch (error) {
        reject(error);
      }
    }
    const next = [...changed].map((quota) => ({ ...quota, status: { ...quota.status, used: toRecord(used.get(quota) as Amounts) } }));
    return { admitted, changed: next };
  }

  #quotas(): ResourceQuota[] {
    return this.#reader.list<ResourceQuota>('', 'resourcequotas', this.#namespace).map((cached) => {
      const own = this.#written.get(cached.metadata.name ?? '');
      if (!own || own.metadata.uid !== cached.metadata.uid) return cached;
      return Number(own.metadata.resourceVersion) > Number(cached.metadata.resourceVersion) ? own : cached;
    });
  }

  async #write(quota: ResourceQuota): Promise<void> {
    const stored = await this.#client().update<ResourceQuota>(QUOTAS, quota, { subresource: 'status' });
    this.#written.set(quota.metadata.name ?? '', stored);
  }
}

function checkFits(quota: ResourceQuota, used: Amounts, { delta, refuse }: Claimant): void {
  const hard = amountsOf(quota.status?.hard);
  const requested = [...delta.keys()].filter((name) => hard.has(name));
  const exceeded = requested.filter(
    (name) => (used.get(name) ?? ZERO).add(delta.get(name) as Quantity).compare(hard.get(name) as Quantity) > 0,
  );
  if (exceeded.length === 0) return;
  const parts = `requested: ${print(delta, exceeded)}, used: ${print(used, exceeded)}, limited: ${print(hard, exceeded)}`;
  throw refuse(`exceeded quota: ${quota.metadata.name}, ${parts}`);
}
