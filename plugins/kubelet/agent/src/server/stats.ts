import { readFileSync } from 'node:fs';
import { cpus, totalmem, uptime } from 'node:os';
import type { ContainerStats } from '@kubernel/sdk';
import type { Pod } from '@kubernel/sdk/api';
import { CONTAINER_NAME, POD_UID } from '../labels.ts';
import { uidOf } from '../pod-fields.ts';
import { fromNanos } from '../pod-status.ts';

/** Cumulative CPU time of the last question, for rates. */
const lastCpu = new Map<string, { atNanos: number; used: number; rate: number }>();

/** /stats/summary (https://kubernetes.io/docs/reference/instrumentation/node-metrics/), as far as the runtime measures. */
export function statsSummary(nodeName: string, pods: readonly Pod[], stats: readonly ContainerStats[]): unknown {
  const byPod = group(stats);
  return {
    node: { nodeName, startTime: new Date(Date.now() - uptime() * 1000).toISOString(), ...nodeUsage() },
    pods: pods.map((pod) => {
      const containers = (byPod.get(uidOf(pod)) ?? []).map((entry) => ({
        name: entry.attributes.labels[CONTAINER_NAME],
        startTime: pod.status?.startTime,
        ...usage(entry),
      }));
      return {
        podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
        startTime: pod.status?.startTime,
        containers,
        cpu: sum(containers.map(({ cpu }) => cpu)),
        memory: sum(containers.map(({ memory }) => memory)),
      };
    }),
  };
}

/** /metrics/resource: what metrics-server reads for `kubectl top`. */
export function resourceMetrics(pods: readonly Pod[], stats: readonly ContainerStats[]): string {
  const byPod = group(stats);
  const lines = new Map<string, string[]>();
  const add = (name: string, labels: string, value: number, timeNanos: number): void => {
    let list = lines.get(name);
    if (!list) lines.set(name, (list = []));
    list.push(`${name}${labels} ${value} ${Math.floor(timeNanos / 1e6)}`);
  };
  const now = Date.now() * 1e6;
  const node = nodeUsage();
  add('node_cpu_usage_seconds_total', '', node.cpu.usageCoreNanoSeconds / 1e9, now);
  add('node_memory_working_set_bytes', '', node.memory.workingSetBytes, now);
  for (const pod of pods) {
    const ofPod = `namespace="${pod.metadata.namespace}",pod="${pod.metadata.name}"`;
    let [cpu, memory, at] = [0, 0, 0];
    for (const entry of byPod.get(uidOf(pod)) ?? []) {
      const labels = `{container="${entry.attributes.labels[CONTAINER_NAME]}",${ofPod}}`;
      const seconds = (entry.cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9;
      const bytes = entry.memory?.workingSetBytes?.value ?? 0;
      at = entry.cpu?.timestamp || now;
      add('container_cpu_usage_seconds_total', labels, seconds, at);
      add('container_memory_working_set_bytes', labels, bytes, at);
      cpu += seconds;
      memory += bytes;
    }
    if (!at) continue;
    add('pod_cpu_usage_seconds_total', `{${ofPod}}`, cpu, at);
    add('pod_memory_working_set_bytes', `{${ofPod}}`, memory, at);
  }
  const text = [...lines]
    .map(([name, list]) => `# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n${list.join('\n')}`)
    .join('\n');
  return `${text}\n# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n`;
}

function group(stats: readonly ContainerStats[]): Map<string, ContainerStats[]> {
  return Map.groupBy(stats, ({ attributes }) => attributes.labels[POD_UID] ?? '');
}

type Usage = Record<string, string | number>;

function usage({ attributes, cpu, memory }: ContainerStats): { cpu: Usage; memory: Usage } {
  const at = cpu?.timestamp || Date.now() * 1e6;
  const used = cpu?.usageCoreNanoSeconds?.value ?? 0;
  return {
    cpu: { time: fromNanos(at), usageNanoCores: cpu?.usageNanoCores?.value ?? rate(attributes.id, at, used), usageCoreNanoSeconds: used },
    memory: {
      time: fromNanos(memory?.timestamp || at),
      workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      usageBytes: memory?.usageBytes?.value ?? 0,
      rssBytes: memory?.rssBytes?.value ?? 0,
    },
  };
}

function rate(id: string, atNanos: number, used: number): number {
  const last = lastCpu.get(id);
  if (last && atNanos - last.atNanos < 1e9) return last.rate;
  const perSecond = last && used >= last.used ? Math.round(((used - last.used) * 1e9) / (atNanos - last.atNanos)) : 0;
  if (lastCpu.size > 10_000) lastCpu.clear();
  lastCpu.set(id, { atNanos, used, rate: perSecond });
  return perSecond;
}

function nodeUsage(): {
  cpu: { time: string; usageNanoCores: number; usageCoreNanoSeconds: number };
  memory: { time: string; availableBytes: number; usageBytes: number; workingSetBytes: number };
} {
  const now = Date.now() * 1e6;
  const used = cpus().reduce((total, { times }) => total + times.user + times.nice + times.sys + times.irq, 0) * 1e6;
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(read('/proc/meminfo'))?.[1] ?? 0) * 1024;
  const usageBytes = totalmem() - available;
  return {
    cpu: { time: fromNanos(now), usageNanoCores: rate('', now, used), usageCoreNanoSeconds: used },
    memory: { time: fromNanos(now), availableBytes: available, usageBytes, workingSetBytes: usageBytes },
  };
}

function sum(parts: readonly Usage[]): Usage {
  const total: Usage = { time: fromNanos(Date.now() * 1e6) };
  for (const part of parts)
    for (const [key, value] of Object.entries(part))
      if (typeof value === 'number') total[key] = ((total[key] as number | undefined) ?? 0) + value;
  return total;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
