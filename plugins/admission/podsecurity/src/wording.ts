/** How violations are put into words. */
import type { Container } from './pod.ts';

export interface Violation {
  reason: string;
  detail: string;
}

export const quoted = (items: readonly string[]): string => items.map((item) => JSON.stringify(item)).join(', ');
export const plural = (one: string, many: string, count: number): string => (count === 1 ? one : many);
export const distinct = (items: readonly string[]): string[] => [...new Set(items)].sort();

/** `container "c"`, `containers "a", "b"`. */
export function containers(list: readonly Container[]): string {
  return `${plural('container', 'containers', list.length)} ${quoted(list.map(({ name }) => name))}`;
}

/** `pod and container "c"`: everybody who set something. */
export function setters(pod: boolean, list: readonly Container[]): string {
  return [...(pod ? ['pod'] : []), ...(list.length > 0 ? [containers(list)] : [])].join(' and ');
}

/** `privileged (container "c" must not …), hostPort (…)`. */
export function sentence(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ');
}
