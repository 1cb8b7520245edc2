import type { KubeObject } from '../api/object.ts';
import { StatusError } from '../errors.ts';
import type { ApiReader } from './api.ts';
import type { UserInfo } from './auth.ts';

/** admission/v1: an extension in the API server's isolate, called on each write (and CONNECT). */

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionAttributes {
  operation: AdmissionOperation;
  user: UserInfo;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  kind: string;
  namespace: string;
  name: string;
  /** The new object, already defaulted; `admit` may change it in place. Undefined for DELETE. */
  object: KubeObject | undefined;
  /** The object before the request. Undefined for CREATE. */
  oldObject: KubeObject | undefined;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions. */
  options: Record<string, unknown>;
  dryRun: boolean;
  /** Adds a `Warning` header to the answer. */
  warn(message: string): void;
  /** Adds an audit annotation. */
  annotate(key: string, value: string): void;
}

/**
 * `admit` runs for every plugin in order (mutating), then `validate` for every plugin in order. Refuse by throwing a
 * StatusError. What an extension does not implement is not called.
 */
export interface Admission {
  /** Called once, before any request: `reader` answers from the API server's cache. */
  init?(reader: ApiReader): void | Promise<void>;
  /** Cheap filter: the chain calls admit/validate only where it is true (asked once per resource/operation and cached). */
  handles(operation: AdmissionOperation, group: string, resource: string, subresource: string): boolean;
  admit?(attributes: AdmissionAttributes): void | Promise<void>;
  validate?(attributes: AdmissionAttributes): void | Promise<void>;
}

/**
 * The 403 of an admission plugin: `pods "web" is forbidden: <why>`. An object whose name is still to be generated goes by
 * its prefix, one without any by `Unknown`.
 */
export function admissionDenied(attributes: Pick<AdmissionAttributes, 'group' | 'resource' | 'name' | 'object'>, why: string): StatusError {
  const { group, resource, object } = attributes;
  const name = attributes.name || object?.metadata.name || object?.metadata.generateName || 'Unknown';
  const qualified = group ? `${resource}.${group}` : resource;
  return new StatusError(403, 'Forbidden', `${qualified} ${JSON.stringify(name)} is forbidden: ${why}`, {
    name,
    ...(group ? { group } : {}),
    kind: resource,
  });
}
