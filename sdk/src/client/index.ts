/**
 * The Kubernetes client, informers, work queues and reconcilers that controllers are made of.
 *
 * A controller is informers (local copies of what it looks at), a {@link createReconciler | reconciler} (keys in, the world
 * put right for one object at a time) and a {@link Client} to write with. {@link createClient} makes the client from any
 * ApiService: the host's, or {@link createHttpsService}'s to a remote server.
 */
export * from './backoff.ts';
export type * from './client.ts';
export * from './conditions.ts';
export * from './controller.ts';
export * from './controller-ref.ts';
export * from './discovery.ts';
export { isAlreadyExists, isConflict, isGone, isNamespaceTerminating, isNotFound } from './errors.ts';
export * from './events.ts';
export * from './expectations.ts';
export * from './https.ts';
export * from './informer.ts';
export * from './kubeconfig.ts';
export * from './leader-election.ts';
export * from './own-writes.ts';
export { collectionPath, objectKey, objectPath, resourceName, splitKey } from './paths.ts';
export * from './reconciler.ts';
export * from './reflector.ts';
export * from './resources.ts';
export { createClient } from './rest-client.ts';
export * from './shared-informers.ts';
export * from './workqueue.ts';
