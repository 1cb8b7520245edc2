import type { FieldErrors } from '@kubernel/sdk/api';
import { FieldPath } from '@kubernel/sdk/api';
import type { Level, Standard } from './checks.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'];

export type Mode = 'enforce' | 'audit' | 'warn';
export type Policy = Record<Mode, Standard>;

/** What a namespace's labels ask for. A label that says nothing sensible is taken for the strictest, and named in `errors`. */
export function policyOf(labels: Record<string, string> | undefined, defaults: Policy, errors?: FieldErrors): Policy {
  const policy = { ...defaults };
  for (const mode of ['enforce', 'audit', 'warn'] as const) {
    const path = (key: string): FieldPath => FieldPath.of('metadata', 'labels').key(key);
    const [level, version] = [labels?.[PREFIX + mode], labels?.[`${PREFIX}${mode}-version`]];
    if (level !== undefined) {
      const known = LEVELS.includes(level);
      // A mistyped level must not switch enforcement off; the other modes only talk.
      policy[mode] = { level: known ? (level as Level) : mode === 'enforce' ? 'restricted' : 'privileged', minor: Infinity };
      if (!known) errors?.invalid(path(PREFIX + mode), level, `must be one of ${LEVELS.join(', ')}`);
    }
    if (version !== undefined) {
      const minor = minorOf(version);
      policy[mode] = { ...policy[mode], minor: minor ?? Infinity };
      if (minor === undefined) errors?.invalid(path(`${PREFIX}${mode}-version`), version, 'must be "latest" or "v1.x"');
    }
  }
  return policy;
}

function minorOf(version: string): number | undefined {
  if (version === 'latest') return Infinity;
  const match = /^v1\.(0|[1-9][0-9]*)$/.exec(version);
  return match ? Number(match[1]) : undefined;
}

const RANK: Readonly<Record<Level, number>> = { privileged: 0, baseline: 1, restricted: 2 };

/** May pods that were fine before violate the new standard? */
export function isTightened(before: Standard, after: Standard): boolean {
  if (after.level === 'privileged' || (before.level === after.level && before.minor === after.minor)) return false;
  return RANK[after.level] > RANK[before.level] || before.minor !== after.minor;
}
