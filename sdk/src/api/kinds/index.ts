/**
 * Kinds as the built-in controllers, the scheduler and the kubelet read them: the fields they use, not all there are.
 * A field that is not named here still travels with the object ({@link KubeObject} is open).
 */
export type * from './apps.ts';
export type * from './coordination.ts';
export type * from './core.ts';
export type * from './discovery.ts';
export type * from './pod.ts';
export type * from './rbac.ts';
