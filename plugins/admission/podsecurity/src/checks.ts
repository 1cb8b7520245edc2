/** Pod Security Standards: which checks belong to which level at which version. */
import { BASELINE } from './baseline.ts';
import type { PodLike, PodSpec } from './pod.ts';
import { RESTRICTED } from './restricted.ts';
import type { Violation } from './wording.ts';

export interface Check {
  id: string;
  /** Minor version of Kubernetes that introduced it; 0: always there. */
  since: number;
  /** From this minor version on pods for Windows are not asked. */
  windowsExemptSince?: number;
  /** The weaker check of the baseline that this one makes superfluous. */
  replaces?: string;
  check(pod: PodLike & { spec: PodSpec }, minor: number): Violation | undefined;
}

export type Level = 'privileged' | 'baseline' | 'restricted';

/** A level as it was in a version; `minor` Infinity is the latest. */
export interface Standard {
  level: Level;
  minor: number;
}

export function printStandard({ level, minor }: Standard): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`;
}

/** What a pod does that the standard forbids, in upstream's order: baseline first, each part by the names of its checks. */
export function violationsOf(pod: PodLike, { level, minor }: Standard): Violation[] {
  if (level === 'privileged') return [];
  const subject = { ...pod, spec: pod.spec ?? {} };
  const violations: Violation[] = [];
  for (const check of checksOf(level, minor)) {
    if (subject.spec.os?.name === 'windows' && minor >= (check.windowsExemptSince ?? Infinity)) continue;
    const violation = check.check(subject, minor);
    if (violation) violations.push(violation);
  }
  return violations;
}

function checksOf(level: Level, minor: number): Check[] {
  const current = (checks: readonly Check[]): Check[] => checks.filter(({ since }) => since <= minor);
  const restricted = level === 'restricted' ? current(RESTRICTED) : [];
  const replaced = new Set(restricted.map(({ replaces }) => replaces));
  return [...current(BASELINE).filter(({ id }) => !replaced.has(id)), ...restricted];
}
