import type { LimitRangeItem } from './limit-ranger.ts';
import type { Amounts, Container, Pod } from './pod-totals.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

/** Requests and limits for containers that name none, with a note of it on the pod. */
export function applyDefaults(pod: Pod, items: readonly LimitRangeItem[]): void {
  const requests: Amounts = {};
  const limits: Amounts = {};
  for (const item of items) {
    if (item.type !== 'Container') continue;
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const notes: string[] = [];
  for (const container of pod.spec.containers) fill(container, 'container', requests, limits, notes);
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container', requests, limits, notes);
  if (notes.length === 0) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` };
}

function fill(container: Container, title: string, requests: Amounts, limits: Amounts, notes: string[]): void {
  const own = (container.resources ??= {});
  for (const [field, defaults, word] of [
    ['requests', requests, 'request'],
    ['limits', limits, 'limit'],
  ] as const) {
    const missing = Object.keys(defaults)
      .filter((name) => own[field]?.[name] === undefined)
      .sort();
    if (missing.length === 0) continue;
    own[field] = { ...own[field], ...Object.fromEntries(missing.map((name) => [name, defaults[name] as string])) };
    notes.push(`${missing.join(', ')} ${word} for ${title} ${container.name}`);
  }
}
