/** scheduler-policy/v1: a scheduler plugin (filter, score, …) that lives in the scheduler's isolate. */
export interface SchedulerPolicy {
  readonly name: string;
}
