/** A named condition of health. Returns why it is bad, undefined when it is fine. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

export interface HealthAnswer {
  ok: boolean;
  text: string;
}

type Probe = 'healthz' | 'livez' | 'readyz';

/** /healthz, /livez, /readyz: the checks in the order they were added, by name. Plugins that fail are named. */
export class Health {
  readonly #checks: { name: string; check: HealthCheck; probes: readonly Probe[] }[] = [];
  /** Plugin id -> why it is not fit; set by what the host tells. */
  #plugins: readonly { name: string; why: string | undefined }[] = [];

  add(name: string, check: HealthCheck, probes: readonly Probe[] = ['healthz', 'livez', 'readyz']): void {
    this.#checks.push({ name, check, probes });
  }

  /** Replaces what is known about plugins. They count for readiness alone: restarting the server would not help them. */
  setPlugins(plugins: readonly { name: string; why: string | undefined }[]): void {
    this.#plugins = plugins;
  }

  async check(probe: Probe, query: URLSearchParams): Promise<HealthAnswer> {
    const excluded = new Set(query.getAll('exclude').flatMap((names) => names.split(',')));
    const lines: string[] = [];
    let failed = false;
    for (const { name, check } of this.#of(probe)) {
      if (excluded.delete(name)) {
        lines.push(`[+]${name} excluded: ok`);
        continue;
      }
      const why = await check();
      if (why === undefined) lines.push(`[+]${name} ok`);
      else {
        failed = true;
        lines.push(`[-]${name} failed: ${why}`);
      }
    }
    for (const name of excluded)
      if (name !== '') lines.push(`warn: some health checks cannot be excluded: no matches for ${JSON.stringify(name)}`);
    if (failed) return { ok: false, text: `${lines.join('\n')}\n${probe} check failed\n` };
    return { ok: true, text: query.has('verbose') ? `${lines.join('\n')}\n${probe} check passed\n` : 'ok' };
  }

  async checkOne(probe: Probe, name: string): Promise<HealthAnswer | undefined> {
    const found = this.#of(probe).find((entry) => entry.name === name);
    if (!found) return undefined;
    const why = await found.check();
    return why === undefined ? { ok: true, text: 'ok' } : { ok: false, text: `internal server error: ${why}\n` };
  }

  #of(probe: Probe): { name: string; check: HealthCheck }[] {
    const own = this.#checks.filter(({ probes }) => probes.includes(probe));
    if (probe !== 'readyz') return own;
    return [...own, ...this.#plugins.map(({ name, why }) => ({ name: `plugin/${name}`, check: () => why }))];
  }
}
