import { randomInt } from 'node:crypto';
import type { ApiReader } from '@kubernel/sdk';
import type { Cidr, Decoded, KubeObject } from '@kubernel/sdk/api';
import { cidrContains, formatAddress, formatCidr, parseAddress, parseCidr } from '@kubernel/sdk/api';

export type Family = 'IPv4' | 'IPv6';

/**
 * Cluster addresses and node ports of services. Which are taken is read off the services themselves, as the API
 * server's cache has them; what a request in flight has taken counts until its service arrives or the request fails.
 */
export class ServiceAddresses {
  static readonly #ofReader = new WeakMap<ApiReader, ServiceAddresses>();
  readonly ranges = new Map<Family, Cidr>();
  readonly #ports: readonly [number, number];
  readonly #stored = new Map<string, Claims>();
  readonly #pending = new Map<string, Claims>();
  readonly #takenAddresses = new Map<string, number>();
  readonly #takenPorts = new Map<number, number>();

  /** One for each API server, made when the first service comes. */
  static of(reader: ApiReader): ServiceAddresses {
    let addresses = ServiceAddresses.#ofReader.get(reader);
    if (!addresses) {
      addresses = new ServiceAddresses(reader);
      ServiceAddresses.#ofReader.set(reader, addresses);
    }
    return addresses;
  }

  private constructor(reader: ApiReader) {
    for (const text of reader.cluster.serviceCIDRs) {
      const range = parseCidr(text);
      if (range) this.ranges.set(range.family === 4 ? 'IPv4' : 'IPv6', range);
    }
    this.#ports = reader.cluster.nodePortRange;
    for (const service of reader.list('', 'services')) this.#store(service);
    reader.onChange('', 'services', (type, service) => {
      this.#drop(this.#pending, keyOf(service));
      if (type === 'DELETED') this.#drop(this.#stored, keyOf(service));
      else this.#store(service);
    });
  }

  get defaultFamily(): Family {
    return this.ranges.keys().next().value ?? 'IPv4';
  }

  /** Takes `wanted`, or any address of the family. Returns the address, or says why not. */
  takeAddress(owner: string, family: Family, wanted: string, dryRun: boolean): { address: string } | { problem: string } {
    const range = this.ranges.get(family);
    if (!range) return { problem: `${family} is not configured on this cluster` };
    if (wanted) {
      const parsed = parseAddress(wanted);
      if (!parsed || !cidrContains(range, parsed) || this.#isReserved(range, parsed.value)) {
        return { problem: `the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${formatCidr(range)}` };
      }
      if (this.#takenAddresses.has(formatAddress(parsed))) return { problem: 'provided IP is already allocated' };
      if (!dryRun) this.#hold(owner, { addresses: [formatAddress(parsed)], ports: [] });
      return { address: wanted };
    }
    const address = this.#anyAddress(range);
    if (address === undefined) return { problem: 'range is full' };
    if (!dryRun) this.#hold(owner, { addresses: [address], ports: [] });
    return { address };
  }

  takePort(owner: string, wanted: number, dryRun: boolean, ours: ReadonlySet<number>): { port: number } | { problem: string } {
    const [first, last] = this.#ports;
    let port = wanted;
    if (wanted) {
      // Upstream's dry run asks only whether the port is taken.
      if (!dryRun && (wanted < first || wanted > last))
        return { problem: `provided port is not in the valid range. The range of valid ports is ${first}-${last}` };
      if (this.#takenPorts.has(wanted) || ours.has(wanted)) return { problem: 'provided port is already allocated' };
    } else {
      const found = this.#anyPort(ours);
      if (found === undefined) return { problem: 'range is full' };
      port = found;
    }
    if (!dryRun) this.#hold(owner, { addresses: [], ports: [port] });
    return { port };
  }

  /** A request failed: what it had taken is free again. */
  release(owner: string): void {
    this.#drop(this.#pending, owner);
  }

  /** The first addresses are left to those who choose theirs (KEP-3070). */
  #anyAddress(range: Cidr): string | undefined {
    const bits = (range.family === 4 ? 32 : 128) - range.prefix;
    const size = bits >= 32 ? 2 ** 31 : 2 ** bits;
    const end = range.family === 4 ? size - 1 : size;
    const band = size < 32 ? 0 : Math.min(Math.max(16, size / 16), 256);
    for (const [from, to] of [
      [Math.max(band, 1), end],
      [1, band],
    ] as const) {
      if (to <= from) continue;
      const start = randomInt(from, to);
      for (let step = 0; step < to - from; step++) {
        const offset = from + ((start - from + step) % (to - from));
        const address = formatAddress({ family: range.family, value: range.network + BigInt(offset) });
        if (!this.#takenAddresses.has(address)) return address;
      }
    }
    return undefined;
  }

  #anyPort(ours: ReadonlySet<number>): number | undefined {
    const [first, last] = this.#ports;
    const size = last - first + 1;
    const band = size < 32 ? 0 : Math.floor(Math.min(Math.max(16, size / 32), 128));
    for (const [from, to] of [
      [first + band, last + 1],
      [first, first + band],
    ] as const) {
      if (to <= from) continue;
      const start = randomInt(from, to);
      for (let step = 0; step < to - from; step++) {
        const port = from + ((start - from + step) % (to - from));
        if (!this.#takenPorts.has(port) && !ours.has(port)) return port;
      }
    }
    return undefined;
  }

  #isReserved(range: Cidr, value: bigint): boolean {
    const bits = BigInt((range.family === 4 ? 32 : 128) - range.prefix);
    return value === range.network || (range.family === 4 && value === range.network + (1n << bits) - 1n);
  }

  #hold(owner: string, claims: Claims): void {
    const held = this.#pending.get(owner) ?? { addresses: [], ports: [] };
    this.#pending.set(owner, { addresses: [...held.addresses, ...claims.addresses], ports: [...held.ports, ...claims.ports] });
    this.#count(claims, 1);
  }

  #store(service: KubeObject): void {
    const key = keyOf(service);
    this.#drop(this.#stored, key);
    const claims = claimsOf((service.spec ?? {}) as Decoded);
    this.#stored.set(key, claims);
    this.#count(claims, 1);
  }

  #drop(from: Map<string, Claims>, key: string): void {
    const claims = from.get(key);
    if (!claims) return;
    from.delete(key);
    this.#count(claims, -1);
  }

  #count({ addresses, ports }: Claims, by: 1 | -1): void {
    for (const address of addresses) add(this.#takenAddresses, address, by);
    for (const port of ports) add(this.#takenPorts, port, by);
  }
}

interface Claims {
  addresses: readonly string[];
  ports: readonly number[];
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

export const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

function claimsOf(spec: Decoded): Claims {
  const addresses = (spec.clusterIPs ?? []).flatMap((text: string) => {
    const address = parseAddress(text);
    return address ? [formatAddress(address)] : [];
  });
  return { addresses, ports: [...nodePortsOf(spec)] };
}

/** Each number once, as TCP and UDP may share one; the health check's among them. */
export function nodePortsOf(spec: Decoded): Set<number> {
  const ports = new Set<number>();
  for (const { nodePort } of spec.ports ?? []) if (nodePort) ports.add(nodePort);
  if (spec.healthCheckNodePort) ports.add(spec.healthCheckNodePort);
  return ports;
}
