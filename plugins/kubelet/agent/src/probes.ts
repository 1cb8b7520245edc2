import type { Container } from '@kubernel/sdk/api';
import type { CheckResult } from './check.ts';
import type { Probe } from './pod-fields.ts';

export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness';

export interface ProbeHost {
  check(probe: Probe, container: Container, containerId: string): Promise<CheckResult>;
  /** Readiness or started changed: the pod's status may too. */
  changed(): void;
  /** One failed check, for the Unhealthy event. */
  unhealthy(container: Container, kind: ProbeKind, output: string): void;
  /** The failure threshold is passed: the container has to go. */
  failed(container: Container, containerId: string, kind: 'Startup' | 'Liveness', probe: Probe): void;
}

interface Probed {
  containerId: string;
  started: boolean;
  ready: boolean;
  abort: AbortController;
}

/**
 * The probes of one pod's running containers. Until the startup probe succeeds the others wait.
 * https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
 */
export class Probes {
  readonly #host: ProbeHost;
  readonly #probed = new Map<string, Probed>();

  constructor(host: ProbeHost) {
    this.#host = host;
  }

  /**
   * Begins (once) to probe a running container; a later one of the same name replaces it. `startedAt` in milliseconds.
   * `known` is what an earlier kubelet found of it: a container that is adopted does not become unready by that.
   */
  ensure(container: Container, containerId: string, startedAt: number, known: { started?: boolean; ready?: boolean } = {}): void {
    const before = this.#probed.get(container.name);
    if (before?.containerId === containerId) return;
    before?.abort.abort();
    const startup = container.startupProbe as Probe | undefined;
    const probed: Probed = {
      containerId,
      started: !startup || known.started === true,
      ready: !container.readinessProbe || known.ready === true,
      abort: new AbortController(),
    };
    this.#probed.set(container.name, probed);
    if (startup && !probed.started) this.#run('Startup', startup, container, probed, startedAt);
    else this.#runSteady(container, probed, startedAt);
  }

  isStarted(container: Container, containerId: string): boolean {
    const probed = this.#probed.get(container.name);
    return probed?.containerId === containerId ? probed.started : !container.startupProbe;
  }

  isReady(container: Container, containerId: string): boolean {
    const probed = this.#probed.get(container.name);
    return probed?.containerId === containerId ? probed.ready : !container.readinessProbe;
  }

  /** Liveness and startup end with the pod's; readiness goes on being told while it terminates. */
  stop(): void {
    for (const { abort } of this.#probed.values()) abort.abort();
    this.#probed.clear();
  }

  #runSteady(container: Container, probed: Probed, startedAt: number): void {
    const { livenessProbe, readinessProbe } = container as { livenessProbe?: Probe; readinessProbe?: Probe };
    if (livenessProbe) this.#run('Liveness', livenessProbe, container, probed, startedAt);
    if (readinessProbe) this.#run('Readiness', readinessProbe, container, probed, startedAt);
  }

  #run(kind: ProbeKind, probe: Probe, container: Container, probed: Probed, startedAt: number): void {
    const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe;
    const successThreshold = kind === 'Readiness' ? (probe.successThreshold ?? 1) : 1;
    const { signal } = probed.abort;
    let successes = 0;
    let failures = 0;
    let timer: NodeJS.Timeout;
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });

    const once = async (): Promise<void> => {
      const { ok, output } = await this.#host.check(probe, container, probed.containerId);
      if (signal.aborted) return;
      successes = ok ? successes + 1 : 0;
      failures = ok ? 0 : failures + 1;
      if (!ok) this.#host.unhealthy(container, kind, output);
      if (ok && successes >= successThreshold && this.#succeeded(kind, container, probed, startedAt)) return;
      if (!ok && failures >= failureThreshold && this.#gaveUp(kind, probe, container, probed)) return;
      // The first readiness checks come quickly, so that a pod serves as soon as it can.
      const waitMs =
        kind === 'Readiness' && !probed.ready && Date.now() - startedAt < 10_000
          ? Math.min(1000, periodSeconds * 1000)
          : periodSeconds * 1000;
      timer = setTimeout(() => void once(), waitMs);
    };
    timer = setTimeout(() => void once(), Math.max(0, startedAt + initialDelaySeconds * 1000 - Date.now()));
  }

  /** Returns whether this probe is over. */
  #succeeded(kind: ProbeKind, container: Container, probed: Probed, startedAt: number): boolean {
    if (kind === 'Startup') {
      probed.started = true;
      this.#host.changed();
      this.#runSteady(container, probed, startedAt);
      return true;
    }
    if (kind === 'Readiness' && !probed.ready) {
      probed.ready = true;
      this.#host.changed();
    }
    return false;
  }

  #gaveUp(kind: ProbeKind, probe: Probe, container: Container, probed: Probed): boolean {
    if (kind === 'Readiness') {
      if (probed.ready) {
        probed.ready = false;
        this.#host.changed();
      }
      return false;
    }
    probed.abort.abort();
    this.#host.failed(container, probed.containerId, kind, probe);
    return true;
  }
}
