/** Conformance kits: one suite for each role, which every driver of the role runs, ours and strangers'. */
export type { Runner } from './runner.ts';
export { type SchedulerPolicyAdapter, schedulerPolicyKit } from './scheduler-policy.ts';
export { storageKit } from './storage.ts';
export type { OpenStorage, StorageAdapter, StorageKitOptions } from './storage-adapter.ts';
export { StorageModel } from './storage-model.ts';
