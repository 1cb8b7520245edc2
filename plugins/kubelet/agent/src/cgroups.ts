import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { effectiveRequests, type Pod, quantityMillis, quantityValue } from '@kubernel/sdk/api';
import { cpuShares, podCgroup, qosClass } from './resources.ts';

const MOUNT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;

/**
 * The cgroups above containers: the runtime makes them on its way down, with the kernel's defaults, under which every pod has
 * the same share of the processors whatever it asked for. Here they get what the pods ask for, and are removed in the end.
 * Works with cgroup v1 and v2; best effort, as in a container of restricted rights it may not be allowed.
 */
export class PodCgroups {
  readonly #root: string;
  readonly #mount: string;
  readonly #v2: boolean;

  /** `root` is `/kubepods`; `mount` differs in tests. */
  constructor(root: string, mount = MOUNT) {
    this.#root = root;
    this.#mount = mount;
    this.#v2 = existsSync(join(mount, 'cgroup.controllers'));
  }

  /** After the pod's sandbox was made: its processor share, and limits where all of its containers have them. */
  limit(pod: Pod): void {
    const path = podCgroup(this.#root, pod);
    const { effective } = effectiveRequests(pod);
    this.#setShares(path, cpuShares(effective.get('cpu') ?? 0));
    const limits = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ resources }) => resources?.limits ?? {});
    if (limits.every(({ memory }) => memory)) {
      const bytes = limits.reduce((sum, { memory }) => sum + quantityValue(memory), 0);
      this.#write('memory', path, this.#v2 ? 'memory.max' : 'memory.limit_in_bytes', String(bytes));
    }
    if (limits.every(({ cpu }) => cpu)) {
      const quota = Math.ceil((limits.reduce((sum, { cpu }) => sum + quantityMillis(cpu), 0) * PERIOD_US) / 1000);
      if (this.#v2) this.#write('cpu', path, 'cpu.max', `${quota} ${PERIOD_US}`);
      else this.#write('cpu', path, 'cpu.cfs_quota_us', String(quota));
    }
  }

  /** Burstable pods together get what they ask for together; best-effort ones what is left. */
  balance(pods: readonly Pod[]): void {
    const burstable = pods
      .filter((pod) => qosClass(pod) === 'Burstable')
      .reduce((sum, pod) => sum + (effectiveRequests(pod).effective.get('cpu') ?? 0), 0);
    this.#setShares(`${this.#root}/burstable`, cpuShares(burstable));
    this.#setShares(`${this.#root}/besteffort`, cpuShares(0));
  }

  /** The pod's processes are gone. */
  remove(pod: Pod): void {
    for (const hierarchy of this.#hierarchies()) removeTree(join(hierarchy, podCgroup(this.#root, pod)));
  }

  /** What is empty of the tree, when no pod is left. */
  removeRoot(): void {
    for (const hierarchy of this.#hierarchies()) removeTree(join(hierarchy, this.#root));
  }

  #setShares(path: string, shares: number): void {
    if (this.#v2) this.#write('cpu', path, 'cpu.weight', String(Math.floor(1 + ((shares - 2) * 9999) / 262_142)));
    else this.#write('cpu', path, 'cpu.shares', String(shares));
  }

  #write(controller: string, path: string, file: string, value: string): void {
    try {
      writeFileSync(join(this.#mount, this.#v2 ? '' : controller, path, file), value);
    } catch {
      // Not made by the runtime, or not ours to change.
    }
  }

  #hierarchies(): string[] {
    if (this.#v2) return [this.#mount];
    try {
      return readdirSync(this.#mount).map((name) => join(this.#mount, name));
    } catch {
      return [];
    }
  }
}

/** Cgroups are removed one by one, the innermost first; one that is in use stays. */
function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // It is not there, or a process still is.
  }
}
