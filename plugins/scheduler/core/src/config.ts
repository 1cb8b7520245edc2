import type { QueueOptions } from './queue/scheduling-queue.ts';

/** Config of `scheduler/default`; the schema is config.schema.json. */
export interface SchedulerConfig {
  /** Default: one profile, `default-scheduler`, with every policy the cluster's config names. */
  profiles?: ProfileConfig[];
  queue?: QueueOptions;
  /** Bindings under way at once. Default 256. */
  maxBindsInFlight?: number;
  /** How long the scheduler keeps the event loop before it lets I/O in, in milliseconds. Default 5. */
  sliceMs?: number;
  /** Seed of the choice among nodes of equal score. Default: random. */
  seed?: number;
}

/** A set of policies for the pods with this `spec.schedulerName`. */
export interface ProfileConfig {
  schedulerName: string;
  /** Policies by their name in the config; undefined: all there are. The order is the cluster config's. */
  policies?: string[];
  disabled?: string[];
  /** Score weights by policy; 0 switches a score off. Default: the policy's own. */
  weights?: Record<string, number>;
  /** Per policy, over its config in the cluster's file. */
  args?: Record<string, Record<string, unknown>>;
}

export const DEFAULT_PROFILE: ProfileConfig = { schedulerName: 'default-scheduler' };
