import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { ageColumn, humanDuration, nameColumn, table } from '@kubernel/sdk/api';

interface ContainerState {
  waiting?: { reason?: string };
  running?: object;
  terminated?: { reason?: string; exitCode?: number; signal?: number; finishedAt?: string | null };
}
interface ContainerStatus {
  name: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}
interface PodFields extends KubeObject {
  spec: {
    containers?: object[];
    initContainers?: { name: string; restartPolicy?: string }[];
    nodeName?: string;
    readinessGates?: { conditionType: string }[];
  };
  status?: {
    phase?: string;
    reason?: string;
    podIPs?: { ip: string }[];
    nominatedNodeName?: string;
    conditions?: { type: string; status: string; reason?: string }[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

/** What `kubectl get pods` makes of all the containers' states. */
interface Summary {
  ready: number;
  total: number;
  status: string;
  restarts: number;
  lastRestart: number;
}

const columns = table(
  nameColumn,
  ['Ready', (pod) => `${summaryOf(pod).ready}/${summaryOf(pod).total}`],
  ['Status', (pod) => summaryOf(pod).status],
  ['Restarts', (pod, now) => restartsText(summaryOf(pod), now)],
  ageColumn,
  ['+IP', ({ status }: PodFields) => status?.podIPs?.[0]?.ip || '<none>'],
  ['+Node', ({ spec }: PodFields) => spec.nodeName || '<none>'],
  ['+Nominated Node', ({ status }: PodFields) => status?.nominatedNodeName || '<none>'],
  ['+Readiness Gates', (pod: PodFields) => gatesText(pod)],
);

export const podTable: TableDefinition = {
  ...columns,
  conditions: ({ status }) => {
    const { phase } = (status ?? {}) as { phase?: string };
    if (phase === 'Succeeded')
      return [{ type: 'Completed', status: 'True', reason: phase, message: 'The pod has completed successfully.' }];
    if (phase === 'Failed') return [{ type: 'Completed', status: 'True', reason: phase, message: 'The pod failed.' }];
    return undefined;
  },
};

const summaries = new WeakMap<object, Summary>();

function summaryOf(pod: PodFields): Summary {
  let summary = summaries.get(pod);
  if (!summary) summaries.set(pod, (summary = summarize(pod)));
  return summary;
}

function summarize(pod: PodFields): Summary {
  const { spec, status = {} } = pod;
  const sidecars = new Set((spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name));
  const summary: Summary = {
    ready: 0,
    total: (spec.containers?.length ?? 0) + sidecars.size,
    status: status.reason || status.phase || '',
    restarts: 0,
    lastRestart: 0,
  };
  if (status.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated'))
    summary.status = 'SchedulingGated';
  const sidecarRestarts = { restarts: 0, lastRestart: 0 };
  const initializing = initSummary(pod, summary, sidecars, sidecarRestarts);
  if (!initializing || status.conditions?.some(({ type, status: value }) => type === 'Initialized' && value === 'True')) {
    Object.assign(summary, sidecarRestarts);
    containersSummary(pod, summary);
  }
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.status = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.status = 'Terminating';
  }
  return summary;
}

/** The first init container that is not done decides. */
function initSummary(
  { spec, status }: PodFields,
  summary: Summary,
  sidecars: Set<string>,
  sidecarRestarts: { restarts: number; lastRestart: number },
): boolean {
  for (const [index, container] of (status?.initContainerStatuses ?? []).entries()) {
    const { state = {} } = container;
    countRestarts(summary, container);
    if (sidecars.has(container.name)) countRestarts(sidecarRestarts, container);
    if (state.terminated && state.terminated.exitCode === 0) continue;
    if (sidecars.has(container.name) && container.started) {
      if (container.ready) summary.ready++;
      continue;
    }
    if (state.terminated) summary.status = `Init:${terminatedText(state.terminated)}`;
    else if (state.waiting?.reason && state.waiting.reason !== 'PodInitializing') summary.status = `Init:${state.waiting.reason}`;
    else summary.status = `Init:${index}/${spec.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function containersSummary({ status }: PodFields, summary: Summary): void {
  let running = false;
  for (const container of (status?.containerStatuses ?? []).toReversed()) {
    const { state = {} } = container;
    countRestarts(summary, container);
    if (state.waiting?.reason) summary.status = state.waiting.reason;
    else if (state.terminated) summary.status = terminatedText(state.terminated);
    else if (container.ready && state.running) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.status === 'Completed' && running) {
    summary.status = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ? 'Running' : 'NotReady';
  }
}

function terminatedText({ reason, signal, exitCode }: NonNullable<ContainerState['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`);
}

function countRestarts(counts: { restarts: number; lastRestart: number }, { restartCount = 0, lastState }: ContainerStatus): void {
  counts.restarts += restartCount;
  const finished = lastState?.terminated?.finishedAt;
  if (finished) counts.lastRestart = Math.max(counts.lastRestart, Date.parse(finished));
}

function restartsText({ restarts, lastRestart }: Summary, now: number): string {
  return restarts > 0 && lastRestart > 0 ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : String(restarts);
}

function gatesText({ spec, status }: PodFields): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const met = gates.filter(({ conditionType }) =>
    status?.conditions?.some(({ type, status: value }) => type === conditionType && value === 'True'),
  );
  return `${met.length}/${gates.length}`;
}
