import type {
  ContainerState as ApiContainerState,
  ContainerStatus as ApiContainerStatus,
  Container,
  Pod,
  PodCondition,
  PodPhase,
  PodStatus,
} from '@kubernel/sdk/api';
import { timestamp } from '@kubernel/sdk/client';
import { qosClass } from './resources.ts';
import type { KnownContainer, PodRuntime } from './runtime-cache.ts';
import { terminationMessage } from './termination-message.ts';

export interface StatusInputs {
  pod: Pod;
  runtime: PodRuntime;
  /** Why containers wait, by container name. */
  waiting: ReadonlyMap<string, { reason: string; message: string }>;
  /** What the API said of containers before, by container name. */
  recorded: ReadonlyMap<string, ApiContainerStatus>;
  isReady(container: Container, containerId: string): boolean;
  isStarted(container: Container, containerId: string): boolean;
  hostIPs: readonly string[];
  /** `containerd`: container IDs are written `containerd://…`. */
  runtimeName: string;
  /** RFC 3339. */
  startTime: string;
  /** The pod's end is decided and its containers are gone: it will be Succeeded or Failed. */
  ended: boolean;
  /** Why the kubelet ended it (`DeadlineExceeded`). */
  failure: { reason: string; message: string } | undefined;
}

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

/** Newest first. */
export function historyOf(runtime: PodRuntime, name: string): KnownContainer[] {
  const found: KnownContainer[] = [];
  for (const container of runtime.containers.values()) if (container.metadata.name === name) found.push(container);
  return found.sort((a, b) => b.metadata.attempt - a.metadata.attempt || b.createdAt - a.createdAt);
}

/** The whole status of a pod, from what the runtime has. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ */
export function podStatus(inputs: StatusInputs): PodStatus {
  const { pod, runtime, hostIPs, failure } = inputs;
  const initContainers = pod.spec.initContainers ?? [];
  const initStatuses = initContainers.map((container) => containerStatus(container, inputs, 'PodInitializing'));
  const initialized = initContainers.every((container, i) => isInitialized(container, initStatuses[i]!));
  const statuses = pod.spec.containers.map((container) =>
    containerStatus(container, inputs, initialized ? 'ContainerCreating' : 'PodInitializing'),
  );
  const phase = failure ? 'Failed' : podPhase(pod, initialized, initStatuses, statuses, inputs.ended);
  const podIPs = pod.spec.hostNetwork ? hostIPs : runtime.ips;
  return {
    phase,
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    conditions: conditions(inputs, phase, initialized, initStatuses, statuses),
    ...(failure ?? {}),
    ...(hostIPs.length ? { hostIP: hostIPs[0]!, hostIPs: hostIPs.map((ip) => ({ ip })) } : {}),
    ...(podIPs.length ? { podIP: podIPs[0]!, podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    startTime: inputs.startTime,
    ...(initStatuses.length ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses: statuses,
    ...(pod.spec.ephemeralContainers?.length
      ? {
          ephemeralContainerStatuses: pod.spec.ephemeralContainers.map((container) =>
            containerStatus(container, inputs, 'ContainerCreating'),
          ),
        }
      : {}),
    qosClass: qosClass(pod),
  };
}

function isInitialized(container: Container, status: ApiContainerStatus): boolean {
  return isSidecar(container) ? status.started === true : status.state?.terminated?.exitCode === 0;
}

function containerStatus(container: Container, inputs: StatusInputs, waitingReason: string): ApiContainerStatus {
  const [current, previous] = historyOf(inputs.runtime, container.name);
  const waiting = inputs.waiting.get(container.name);
  const status: ApiContainerStatus = {
    name: container.name,
    state: { waiting: { reason: waitingReason } },
    lastState: {},
    ready: false,
    restartCount: current?.metadata.attempt ?? inputs.recorded.get(container.name)?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
    ...described(container),
  };
  if (!current) {
    if (waiting) status.state = { waiting };
    return status;
  }
  status.image = current.image.image && !current.image.image.startsWith('sha256:') ? current.image.image : (container.image ?? '');
  status.imageID = current.imageRef;
  status.containerID = `${inputs.runtimeName}://${current.id}`;
  if (previous?.state === 'CONTAINER_EXITED') status.lastState = terminated(previous, inputs.runtimeName);
  switch (current.state) {
    case 'CONTAINER_RUNNING':
      status.state = { running: { startedAt: fromNanos(current.startedAt) } };
      status.started = inputs.isStarted(container, current.id);
      status.ready = status.started && inputs.isReady(container, current.id);
      break;
    case 'CONTAINER_EXITED':
      status.state = terminated(current, inputs.runtimeName);
      if (waiting && !inputs.ended) {
        status.lastState = status.state;
        status.state = { waiting };
      } else {
        const { initContainers = [] } = inputs.pod.spec;
        // An init container has done its part when it ended well.
        status.ready = current.exitCode === 0 && initContainers.includes(container) && !isSidecar(container);
      }
      break;
    default:
      if (waiting) status.state = { waiting };
  }
  if (current.user?.linux) status.user = { linux: current.user.linux };
  return status;
}

/** Parts of a status that repeat what the container asked for. */
function described({ resources = {}, volumeMounts = [] }: Container): Partial<ApiContainerStatus> {
  return {
    ...(resources.requests ? { allocatedResources: resources.requests } : {}),
    ...(resources.requests || resources.limits
      ? {
          resources: {
            ...(resources.limits ? { limits: resources.limits } : {}),
            ...(resources.requests ? { requests: resources.requests } : {}),
          },
        }
      : { resources: {} }),
    ...(volumeMounts.length
      ? {
          volumeMounts: volumeMounts.map(({ name, mountPath, readOnly }) => ({
            name,
            mountPath,
            ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
          })),
        }
      : {}),
  };
}

function terminated(container: KnownContainer, runtimeName: string): ApiContainerState {
  const message = terminationMessage(container);
  return {
    terminated: {
      exitCode: container.exitCode,
      reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
      ...(message ? { message } : {}),
      startedAt: container.startedAt ? fromNanos(container.startedAt) : (null as unknown as string),
      finishedAt: fromNanos(container.finishedAt),
      containerID: `${runtimeName}://${container.id}`,
    },
  };
}

export function fromNanos(nanos: number): string {
  return timestamp(Math.floor(nanos / 1e6));
}

function podPhase(
  pod: Pod,
  initialized: boolean,
  initStatuses: readonly ApiContainerStatus[],
  statuses: readonly ApiContainerStatus[],
  ended: boolean,
): PodPhase {
  const { restartPolicy = 'Always' } = pod.spec;
  const failedInit = initStatuses.some(
    ({ state }, i) => (state?.terminated?.exitCode ?? 0) !== 0 && !isSidecar(pod.spec.initContainers![i]!),
  );
  if (!initialized && !ended) return failedInit && restartPolicy === 'Never' ? 'Failed' : 'Pending';
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const { state, lastState } of statuses) {
    if (state?.running) running++;
    else if (state?.terminated) {
      stopped++;
      if (state.terminated.exitCode === 0) succeeded++;
    } else if (lastState?.terminated) stopped++;
    else waiting++;
  }
  if (ended) return !failedInit && initialized && stopped > 0 && stopped === succeeded && waiting === 0 ? 'Succeeded' : 'Failed';
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped === 0) return 'Pending';
  if (restartPolicy === 'Always') return 'Running';
  if (stopped === succeeded) return 'Succeeded';
  return restartPolicy === 'Never' ? 'Failed' : 'Running';
}

function conditions(
  inputs: StatusInputs,
  phase: PodPhase,
  initialized: boolean,
  initStatuses: readonly ApiContainerStatus[],
  statuses: readonly ApiContainerStatus[],
): PodCondition[] {
  const { pod, runtime } = inputs;
  const over = phase === 'Succeeded' || phase === 'Failed';
  const sandboxReady =
    !inputs.ended && runtime.sandboxes[0]?.state === 'SANDBOX_READY' && (pod.spec.hostNetwork === true || runtime.ips.length > 0);
  const fresh: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    { type: 'PodReadyToStartContainers', status: sandboxReady ? 'True' : 'False' },
  ];

  if (phase === 'Succeeded') fresh.push({ type: 'Initialized', status: 'True', reason: 'PodCompleted' });
  else if (initialized) fresh.push({ type: 'Initialized', status: 'True' });
  else {
    const names = initStatuses.filter((status, i) => !isInitialized(pod.spec.initContainers![i]!, status)).map(({ name }) => name);
    fresh.push({
      type: 'Initialized',
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: `containers with incomplete status: [${names.join(' ')}]`,
    });
  }

  const sidecars = initStatuses.filter((_, i) => isSidecar(pod.spec.initContainers![i]!));
  const unready = [...sidecars, ...statuses].filter(({ ready }) => !ready).map(({ name }) => name);
  let ready: Pick<PodCondition, 'status' | 'reason' | 'message'> = { status: 'True' };
  if (over) ready = { status: 'False', reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' };
  else if (unready.length)
    ready = { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  fresh.push({ type: 'Ready', ...withGates(pod, ready) }, { type: 'ContainersReady', ...ready }, { type: 'PodScheduled', status: 'True' });

  const now = timestamp();
  const old = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const result = fresh.map((condition): PodCondition => {
    const before = old.get(condition.type);
    old.delete(condition.type);
    return {
      type: condition.type,
      status: condition.status,
      ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
      ...(condition.reason ? { reason: condition.reason } : {}),
      ...(condition.message ? { message: condition.message } : {}),
      lastProbeTime: null,
      lastTransitionTime: before?.status === condition.status && before.lastTransitionTime ? before.lastTransitionTime : now,
    };
  });
  // Conditions of others (readiness gates, disruption) stay as they are.
  return [...result, ...old.values()];
}

function withGates(
  pod: Pod,
  ready: Pick<PodCondition, 'status' | 'reason' | 'message'>,
): Pick<PodCondition, 'status' | 'reason' | 'message'> {
  if (ready.status !== 'True') return ready;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const found = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (!found) messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (found.status !== 'True')
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`);
  }
  return messages.length ? { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') } : ready;
}
