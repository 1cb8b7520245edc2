/** The Kubernetes client, informers, work queues and reconcilers that controllers are made of. */
export type * from './client.ts';
export type * from './informer.ts';
