import type { KubeList, KubeObject, ResourceRef } from '../api/object.ts';
import type { ApiRequest, ApiResponse } from '../roles/apiserver.ts';

/**
 * The Kubernetes API as controllers use it. The same interface over a MessagePort to the API server's isolate and over
 * HTTPS to a remote one. Every method throws a StatusError when the server refuses, and ERR_API_UNAVAILABLE when it
 * cannot be reached.
 */
export interface Client {
  get<T extends KubeObject>(resource: ResourceRef, name: string, options?: GetOptions): Promise<T>;
  list<T extends KubeObject>(resource: ResourceRef, options?: ListOptions): Promise<KubeList<T>>;
  /** Ends when the server closes the watch; throws a 410 StatusError when the resourceVersion is gone. Batches, in order. */
  watch<T extends KubeObject>(resource: ResourceRef, options?: WatchOptions): AsyncIterable<WatchEvent<T>[]>;
  /** `subresource`: `binding`, `eviction`, `token`, … posts to it; the name is then `options.name`. */
  create<T extends KubeObject>(resource: ResourceRef, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces; `subresource: 'status'` writes the status alone. */
  update<T extends KubeObject>(resource: ResourceRef, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: ResourceRef, name: string, patch: Patch, options?: WriteOptions): Promise<T>;
  delete(resource: ResourceRef, name: string, options?: DeleteOptions): Promise<void>;
  deleteCollection(resource: ResourceRef, options?: DeleteOptions & ListOptions): Promise<void>;
  /** Any request, as it is. */
  request(request: ApiRequest): Promise<ApiResponse>;
}

export interface GetOptions {
  namespace?: string;
  resourceVersion?: string;
  subresource?: string;
}

export interface ListOptions {
  /** Undefined: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  limit?: number;
  continue?: string;
  /** Only metadata is sent (PartialObjectMetadata); kind and apiVersion are then those of that form. */
  metadataOnly?: boolean;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  /** Default true. */
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
  signal?: AbortSignal;
}

export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

export interface WriteOptions {
  /** Default: the object's own namespace. */
  namespace?: string;
  name?: string;
  subresource?: string;
  dryRun?: boolean;
  fieldManager?: string;
  /** Server-side apply only: take over fields owned by others. */
  force?: boolean;
  signal?: AbortSignal;
}

export interface DeleteOptions {
  namespace?: string;
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
}

export type Patch =
  | { type: 'json'; patch: unknown[] }
  | { type: 'merge'; patch: unknown }
  | { type: 'strategic'; patch: unknown }
  | { type: 'apply'; patch: unknown };
