/** Status conditions (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties). */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
  observedGeneration?: number;
}

export function getCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return getCondition(conditions, type)?.status === 'True';
}

/**
 * The conditions with this one in its place. The transition time moves only when the status changes. Returns the very
 * same array when status, reason and message are as they were, so a caller can tell by identity whether to write.
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  condition: NoInfer<C>,
  now = timestamp(),
): readonly C[] {
  const list = conditions ?? [];
  const old = getCondition(list, condition.type);
  if (old && old.status === condition.status && old.reason === condition.reason && old.message === condition.message) return list;
  const lastTransitionTime =
    old && old.status === condition.status ? (old.lastTransitionTime ?? now) : (condition.lastTransitionTime ?? now);
  const next = { ...condition, lastTransitionTime };
  return old ? list.map((item) => (item === old ? next : item)) : [...list, next];
}

export function withoutCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): readonly C[] {
  const list = conditions ?? [];
  return list.some((condition) => condition.type === type) ? list.filter((condition) => condition.type !== type) : list;
}

/** RFC 3339 in UTC, whole seconds: how Kubernetes writes a metav1.Time. */
export function timestamp(milliseconds = Date.now()): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC with six decimals: a metav1.MicroTime. */
export function microTimestamp(milliseconds = Date.now()): string {
  return `${new Date(milliseconds).toISOString().slice(0, 23)}000Z`;
}
