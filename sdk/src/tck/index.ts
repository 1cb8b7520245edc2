/** Conformance kits: one suite for each role, which every driver of the role runs, ours and strangers'. */
export type { Runner } from './runner.ts';
export { storageKit, type OpenStorage, type StorageAdapter, type StorageKitOptions } from './storage.ts';
export { StorageModel } from './storage-model.ts';
