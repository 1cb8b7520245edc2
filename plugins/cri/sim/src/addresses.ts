import { KubernelError } from '@kubernel/sdk';

/** Hands out the addresses of an IPv4 network, lowest first, each again only after all others. */
export class AddressPool {
  readonly #base: number;
  readonly #size: number;
  readonly #used = new Set<number>();
  #next = 1;

  constructor(cidr: string) {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
    const prefix = Number(match?.[5]);
    if (!match || prefix > 30)
      throw new KubernelError('ERR_SIM_POD_CIDR', `"${cidr}" is not an IPv4 network`, {
        subject: 'cri/sim',
        hint: 'write it as 10.128.0.0/9',
      });
    this.#base = match.slice(1, 5).reduce((sum, byte) => sum * 256 + Number(byte), 0);
    this.#size = 2 ** (32 - prefix) - 2;
  }

  take(): string {
    if (this.#used.size >= this.#size)
      throw new KubernelError('ERR_SIM_ADDRESSES', 'every simulated address is in use', {
        subject: 'cri/sim',
        hint: 'set a larger podCIDR',
      });
    while (this.#used.has(this.#next)) this.#next = (this.#next % this.#size) + 1;
    const offset = this.#next;
    this.#used.add(offset);
    this.#next = (offset % this.#size) + 1;
    const address = this.#base + offset;
    return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
  }

  release(address: string): void {
    this.#used.delete(address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) - this.#base);
  }
}
