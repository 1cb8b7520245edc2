import { type Node, type NodeCondition, type NodeStatus, parseQuantity, Quantity } from '@kubernel/sdk/api';
import { timestamp } from '@kubernel/sdk/client';
import type { Machine } from './machine.ts';
import { type AgentConfig, KUBELET_VERSION } from './settings.ts';

export interface NodeInputs {
  name: string;
  config: AgentConfig;
  machine: Machine;
  addresses: readonly string[];
  /** `containerd://1.6.20`. */
  runtimeVersion: string;
  simulated: boolean;
  /** Of the kubelet API, when it is served. */
  port: number | undefined;
  images: { names: string[]; sizeBytes: number }[];
  /** Why the node is not ready. */
  notReady: string | undefined;
}

/** A simulated node is as large as a common server, whatever machine simulates it. */
const SIMULATED_CAPACITY = { cpu: '32', memory: '256Gi', 'ephemeral-storage': '500Gi' };
/** Kept free of pods: below this the machine itself suffers. */
const EVICTION_MEMORY = 100n * 1024n * 1024n;

export function nodeObject({ name, config, machine, simulated }: NodeInputs): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': machine.architecture,
        'beta.kubernetes.io/os': machine.operatingSystem,
        'kubernetes.io/arch': machine.architecture,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': machine.operatingSystem,
        ...(simulated ? { 'kubernel.dev/simulated': 'true' } : {}),
        ...config.labels,
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { ...(config.taints?.length ? { taints: config.taints } : {}) },
  };
}

export function nodeStatus(inputs: NodeInputs, old: readonly NodeCondition[] | undefined): NodeStatus {
  const { name, machine, addresses, port } = inputs;
  const { capacity, allocatable } = resources(inputs);
  return {
    addresses: [...addresses.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: name }],
    capacity,
    allocatable,
    conditions: conditions(inputs, old),
    daemonEndpoints: { kubeletEndpoint: { Port: port ?? 0 } },
    nodeInfo: {
      machineID: machine.machineID,
      systemUUID: machine.systemUUID,
      bootID: machine.bootID,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: inputs.runtimeVersion,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: machine.operatingSystem,
      architecture: machine.architecture,
    },
    images: inputs.images,
  };
}

function resources({ config, machine, simulated }: NodeInputs): { capacity: Record<string, string>; allocatable: Record<string, string> } {
  const capacity: Record<string, string> = {
    ...(simulated
      ? SIMULATED_CAPACITY
      : {
          cpu: String(machine.cpus),
          memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
          'ephemeral-storage': `${Math.floor(machine.diskBytes / 1024)}Ki`,
          'hugepages-2Mi': '0',
        }),
    pods: String(config.maxPods ?? 110),
    ...config.capacity,
  };
  const allocatable = { ...capacity };
  for (const [resource, amount] of Object.entries(config.reserved ?? {})) {
    if (allocatable[resource]) allocatable[resource] = positive(parseQuantity(allocatable[resource]).sub(parseQuantity(amount)));
  }
  if (!simulated && !config.capacity?.memory && allocatable.memory) {
    allocatable.memory = positive(parseQuantity(allocatable.memory).sub(Quantity.of(EVICTION_MEMORY, 'BinarySI')));
  }
  return { capacity, allocatable };
}

function positive(quantity: Quantity): string {
  return quantity.sign < 0 ? '0' : quantity.toString();
}

function conditions({ notReady }: NodeInputs, old: readonly NodeCondition[] = []): NodeCondition[] {
  const now = timestamp();
  const fresh: Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    notReady
      ? { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: notReady }
      : { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ];
  return [
    ...fresh.map((condition) => {
      const before = old.find(({ type }) => type === condition.type);
      const lastTransitionTime = before?.status === condition.status && before.lastTransitionTime ? before.lastTransitionTime : now;
      return { ...condition, lastHeartbeatTime: now, lastTransitionTime };
    }),
    // Written by others (node problem detectors).
    ...old.filter(({ type }) => !fresh.some((condition) => condition.type === type)),
  ];
}
