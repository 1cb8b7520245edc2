export interface NetworkConfig {
  cniVersion: string;
  name: string;
  plugins: (Record<string, unknown> & { type: string })[];
}

export interface ConflistInput {
  name: string;
  /** At most 15 characters. */
  bridge: string;
  podCIDRs: readonly string[];
  mtu?: number;
  /** Where host-local keeps the addresses it gave. */
  stateDir: string;
}

/**
 * Bridge with an address of its own as the pods' gateway, one address per family from host-local, host ports by portmap.
 * hairpinMode: a pod reaches itself through its own Service. ipMasq: addresses outside the pod networks see the node's.
 */
export function conflist({ name, bridge, podCIDRs, mtu, stateDir }: ConflistInput): NetworkConfig {
  return {
    cniVersion: '1.0.0',
    name,
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        hairpinMode: true,
        ipMasq: true,
        ...(mtu ? { mtu } : {}),
        ipam: {
          type: 'host-local',
          dataDir: stateDir,
          ranges: podCIDRs.map((subnet) => [{ subnet }]),
          routes: podCIDRs.map((cidr) => ({ dst: cidr.includes(':') ? '::/0' : '0.0.0.0/0' })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
}
