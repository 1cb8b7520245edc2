import type { UserInfo } from '@kubernel/sdk';
import type { Entry } from './cache/entry.ts';
import type { WatchOptions } from './cache/watcher.ts';
import type { ConnectTarget } from './connect/target.ts';
import type { Query } from './query.ts';
import type { Resource } from './registry.ts';
import type { RequestInfo } from './request-info.ts';

/** One request, wherever it came from: HTTPS or a plugin in another isolate. */
export interface Call {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: Query;
  readonly info: RequestInfo;
  user: UserInfo;
  /** Lower-case media type with parameters, '' when there was none. */
  readonly contentType: string;
  readonly accept: string;
  readonly userAgent: string;
  readonly body: Buffer | string | undefined;
  readonly warnings: string[];
  /** Aborts when the client is gone or the time for the request is up. */
  readonly signal?: AbortSignal;
}

/** What a handler found out; `render` turns it into the representation the client asked for. */
export type Result =
  | ObjectResult
  | ListResult
  | WatchResult
  /** Text that has no other representation. */
  | { type: 'raw'; code: number; contentType: string; body: string | Buffer; headers?: Record<string, string> }
  /** The connection itself is handed on to a node, pod or service. */
  | { type: 'connect'; target: ConnectTarget };

export interface ObjectResult {
  type: 'object';
  code: number;
  /** JSON. */
  text: string;
  /** Whose table to use; undefined for kinds that have none (Status, Scale, reviews). */
  resource?: Resource;
}

export interface ListResult {
  type: 'list';
  resource: Resource;
  entries: readonly Entry[];
  revision: number;
  continue?: string;
  remaining?: number;
}

export interface WatchResult {
  type: 'watch';
  resource: Resource;
  options: WatchOptions;
  /** Start when the cache has this revision. */
  atLeast?: number;
  /** Start when the cache has everything that is acknowledged. */
  consistent: boolean;
}
