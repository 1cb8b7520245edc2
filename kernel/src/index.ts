/**
 * The kernel: an object store with a watch bus, leader election, and a host for plugins. Everything else is a plugin
 * that a config names.
 *
 * Embedders call {@link createKernel} with a config file or document and get a running cluster: a client without a
 * socket, the states of its plugins, and a way to stop it. `kernel.apply` changes what runs.
 */
export type { ClusterConfig, ClusterDocument } from './config/cluster-config.ts';
export { CLUSTER_SCHEMA } from './config/schema.ts';
export type { PluginPackage } from './host/catalog.ts';
export type { AppliedChange } from './host/host.ts';
export type { LogSink } from './host/host-control.ts';
export { buildImage } from './image/build.ts';
export { type ImageConfig, writeOciArchive } from './image/oci.ts';
export { createKernel, type Kernel, type KernelOptions, runtimeOf } from './kernel.ts';
