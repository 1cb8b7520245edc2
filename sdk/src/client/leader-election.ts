import type { Lease } from '../api/kinds/coordination.ts';
import { sleep } from './backoff.ts';
import type { Client } from './client.ts';
import { microTimestamp } from './conditions.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { LEASES } from './resources.ts';

export interface LeadershipOptions {
  namespace: string;
  /** Of the Lease that candidates compete for. */
  name: string;
  /** Who we are; different for each candidate, also after a restart on the same machine. */
  identity: string;
  /** How long a leader may be silent before another takes over, in milliseconds. Default 15,000. */
  leaseMs?: number;
  /** How long the leader tries to renew before it gives up, in milliseconds. Less than `leaseMs`. Default 10,000. */
  renewMs?: number;
  /** Between two tries, in milliseconds. Default 2,000. */
  retryMs?: number;
  /** Ends the candidacy. A leader gives its lease back, so that the next one need not wait. */
  signal: AbortSignal;
  onError?: (error: unknown) => void;
}

/** What a leader is told. */
export interface Leadership {
  /** Aborts when the lease is lost or the candidacy ends: whoever goes on afterwards is a second leader. */
  readonly signal: AbortSignal;
  /**
   * The number of times the lease changed hands: larger than that of every leader before. A write that carries it can be
   * told from one of a leader that has not noticed that it is none any more.
   */
  readonly fencingToken: number;
}

/**
 * Runs `work` while this process is the leader, again each time it becomes it, until the signal aborts. For controllers
 * outside of a kernel (inside, the host elects plugins). The Lease is the one that Kubernetes' own components use
 * (https://kubernetes.io/docs/concepts/architecture/leases/#leader-election), so they may compete for it too.
 *
 * Others' clocks are not trusted: a lease has run out when it was not renewed for its whole duration by our own clock.
 *
 * @example
 * await whileLeading(client, { namespace: 'kube-system', name: 'hello', identity: `${hostname()}_${randomUUID()}`, signal },
 *   async ({ signal }) => { await runController(signal); });
 */
export async function whileLeading(
  client: Client,
  options: LeadershipOptions,
  work: (leadership: Leadership) => Promise<void>,
): Promise<void> {
  const candidate = new Candidate(client, options);
  while (!options.signal.aborted) {
    const fencingToken = await candidate.acquire();
    if (fencingToken === undefined) return;
    const lost = new AbortController();
    const signal = AbortSignal.any([options.signal, lost.signal]);
    const renewing = candidate.renewUntilLost(signal).finally(() => lost.abort());
    try {
      await work({ signal, fencingToken });
    } catch (error) {
      options.onError?.(error);
    }
    // Work that ended by itself gives the lease up: another may do better.
    lost.abort();
    await renewing;
    await candidate.release();
    if (!options.signal.aborted) await sleep(candidate.retryMs, options.signal);
  }
}

class Candidate {
  readonly retryMs: number;
  readonly #client: Client;
  readonly #options: LeadershipOptions;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  /** The lease as last read or written, and when we saw it change, by our own clock. */
  #lease: Lease | undefined;
  #changedAt = 0;
  /** When we began to write the lease that is ours: others count from when they see it, which is later. */
  #renewedAt = 0;

  constructor(client: Client, options: LeadershipOptions) {
    this.#client = client;
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 15_000;
    this.#renewMs = options.renewMs ?? 10_000;
    this.retryMs = options.retryMs ?? 2_000;
    if (this.#renewMs >= this.#leaseMs)
      throw new RangeError('renewMs must be less than leaseMs: a leader has to give up before another takes over');
  }

  /** Resolves with the fencing token once we hold the lease; undefined when the candidacy ended. */
  async acquire(): Promise<number | undefined> {
    const { signal, onError } = this.#options;
    while (!signal.aborted) {
      try {
        if ((await this.#tryOnce()) === 'ours') return this.#lease?.spec?.leaseTransitions ?? 0;
      } catch (error) {
        onError?.(error);
      }
      // Spread, so that candidates that started together do not ask together ever after.
      await sleep(this.retryMs * (1 + 0.2 * Math.random()), signal);
    }
    return undefined;
  }

  async renewUntilLost(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(Math.max(0, Math.min(this.retryMs, this.#leftMs())), signal);
      const left = this.#leftMs();
      if (signal.aborted || left <= 0) return;
      const answered = new AbortController();
      try {
        // A server that does not answer must not keep us leading beyond our time.
        const tried = await Promise.race([this.#tryOnce(), sleep(left, answered.signal).then(() => undefined)]);
        if (tried === 'theirs') return;
      } catch (error) {
        this.#options.onError?.(error);
      } finally {
        answered.abort();
      }
    }
  }

  #leftMs(): number {
    return this.#renewedAt + this.#renewMs - performance.now();
  }

  /** Gives the lease back, when it is ours. */
  async release(): Promise<void> {
    const lease = this.#lease;
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const now = microTimestamp();
    try {
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
      this.#note(await this.#client.update(LEASES, { ...lease, spec }));
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) this.#options.onError?.(error);
    }
  }

  /** `again`: another write was faster, and what it made of the lease is not known yet. */
  async #tryOnce(): Promise<'ours' | 'theirs' | 'again'> {
    const { identity } = this.#options;
    const startedAt = performance.now();
    const current = await this.#read();
    const now = microTimestamp();
    const mine = { holderIdentity: identity, leaseDurationSeconds: Math.max(1, Math.ceil(this.#leaseMs / 1000)), renewTime: now };
    try {
      if (!current) {
        const { namespace, name } = this.#options;
        const spec = { ...mine, acquireTime: now, leaseTransitions: 0 };
        this.#note(
          await this.#client.create<Lease>(LEASES, {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { name, namespace },
            spec,
          }),
        );
        this.#renewedAt = startedAt;
        return 'ours';
      }
      const { spec = {} } = current;
      const isOurs = spec.holderIdentity === identity;
      if (!isOurs && spec.holderIdentity && performance.now() - this.#changedAt < this.#leaseMs) return 'theirs';
      const taken = isOurs ? {} : { acquireTime: now, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 };
      this.#note(await this.#client.update<Lease>(LEASES, { ...current, spec: { ...spec, ...mine, ...taken } }));
      this.#renewedAt = startedAt;
      return 'ours';
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return 'again';
      throw error;
    }
  }

  async #read(): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    try {
      const lease = await this.#client.get<Lease>(LEASES, name, { namespace });
      this.#note(lease);
      return lease;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#lease = undefined;
      return undefined;
    }
  }

  #note(lease: Lease): void {
    const isNews = lease.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion;
    if (isNews) this.#changedAt = performance.now();
    this.#lease = lease;
  }
}
