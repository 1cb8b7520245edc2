import { ClusterEvents, PASS, type PodInfo, type SchedulerPolicy, UNSCHEDULABLE } from '@kubernel/sdk';

const REASONS = ["node(s) didn't have free ports for the requested pod ports"];
const ANY_ADDRESS = '0.0.0.0';

interface HostPort {
  /** `TCP/8080`. */
  key: string;
  address: string;
}

/** Host ports are used once per node, protocol and address; 0.0.0.0 collides with every address. */
export const nodePorts: SchedulerPolicy = {
  name: 'NodePorts',
  create: ({ cluster }) => {
    /** Protocol and port -> slot -> address -> users. */
    const used = new Map<string, Map<number, Map<string, number>>>();
    let wanted: readonly HostPort[] = [];

    function count(pod: PodInfo, slot: number, change: 1 | -1): void {
      for (const { key, address } of hostPorts(pod)) {
        const slots = getOrAdd(used, key);
        const addresses = getOrAdd(slots, slot);
        const users = (addresses.get(address) ?? 0) + change;
        if (users > 0) addresses.set(address, users);
        else addresses.delete(address);
        if (addresses.size === 0) slots.delete(slot);
        if (slots.size === 0) used.delete(key);
      }
    }

    for (let slot = 0; slot < cluster.nodes.size; slot++) for (const pod of cluster.pods(slot)) count(pod, slot, 1);

    return {
      podAdded: (pod, slot) => count(pod, slot, 1),
      podRemoved: (pod, slot) => count(pod, slot, -1),
      preFilter({ pod }) {
        wanted = hostPorts(pod);
        return wanted.length ? undefined : { skip: true };
      },
      filter: (_, slot) => (wanted.some(({ key, address }) => collides(used.get(key)?.get(slot), address)) ? UNSCHEDULABLE : PASS),
      filterAll(_, verdicts, mark) {
        for (const { key, address } of wanted) {
          for (const [slot, addresses] of used.get(key) ?? [])
            if (verdicts[slot] === 0 && collides(addresses, address)) verdicts[slot] = mark;
        }
      },
      reasons: () => REASONS,
      events: [
        {
          events: ClusterEvents.PodGone,
          hint(waiting, { pod }) {
            const freed = pod ? hostPorts(pod) : [];
            return hostPorts(waiting).some((want) =>
              freed.some(
                (port) =>
                  port.key === want.key && (port.address === want.address || port.address === ANY_ADDRESS || want.address === ANY_ADDRESS),
              ),
            );
          },
        },
        { events: ClusterEvents.NodeAdded },
      ],
    };
  },
};

const NONE: readonly HostPort[] = [];

function hostPorts({ pod: { spec } }: PodInfo): readonly HostPort[] {
  let ports: HostPort[] | undefined;
  const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  for (const containers of [spec.containers, sidecars]) {
    for (const { ports: declared } of containers) {
      for (const { hostPort, hostIP, protocol } of declared ?? []) {
        if (hostPort) (ports ??= []).push({ key: `${protocol ?? 'TCP'}/${hostPort}`, address: hostIP || ANY_ADDRESS });
      }
    }
  }
  return ports ?? NONE;
}

function collides(addresses: ReadonlyMap<string, number> | undefined, address: string): boolean {
  if (!addresses) return false;
  return address === ANY_ADDRESS || addresses.has(ANY_ADDRESS) || addresses.has(address);
}

function getOrAdd<K, A, B>(map: Map<K, Map<A, B>>, key: K): Map<A, B> {
  let inner = map.get(key);
  if (!inner) map.set(key, (inner = new Map()));
  return inner;
}
