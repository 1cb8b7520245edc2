import type { StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Resource } from './registry.ts';
import { unsupportedPatch } from './status.ts';

/** What `patch/` does for the pipeline: the four patch types, and who owns which field. */
export interface Patcher {
  /** JSON, merge or strategic merge patch. Returns a new, undecoded object; throws a StatusError worded as upstream. */
  patch(request: PatchRequest): { value: unknown; problems: string[] };
  /** The 422 of strict field validation. `value` is what `patch` returned. */
  strictError(request: PatchRequest, value: unknown, problems: readonly string[]): StatusError;
  /**
   * Server-side apply. `live` undefined: the object is created. Returns a new, undecoded object with its managedFields.
   * Throws a 409 with the conflicts when not forced.
   */
  apply(request: ApplyRequest): { value: unknown };
  /** The refusal when what `apply` returned cannot be decoded. */
  conversionError(resource: Resource, applied: unknown, error: unknown): StatusError;
  /** Keeps metadata.managedFields after a create, update or patch that is not an apply. In place. */
  track(request: TrackRequest): void;
  /** Takes the live managedFields back when nothing but their times changed, so that a no-op stays one. In place. */
  ignoreTimes(old: KubeObject, object: KubeObject): void;
}

export interface PatchRequest {
  kind: 'json' | 'merge' | 'strategic';
  resource: Resource;
  live: KubeObject;
  /** The patch's text. */
  text: string;
}

export interface ApplyRequest {
  resource: Resource;
  subresource: string;
  live: KubeObject | undefined;
  /** The configuration as it was parsed, not decoded: a value the client did not write must not become the client's. Left as it is. */
  applied: unknown;
  manager: string;
  force: boolean;
  /** RFC 3339. */
  time: string;
}

export interface TrackRequest {
  resource: Resource;
  subresource: string;
  old: KubeObject | undefined;
  object: KubeObject;
  manager: string;
  time: string;
}

/** For servers put together without `patch/`: says so to whoever patches, and keeps no managedFields. */
export const noPatcher: Patcher = {
  patch() {
    throw unsupportedPatch();
  },
  strictError: () => unsupportedPatch(),
  apply() {
    throw unsupportedPatch();
  },
  conversionError: () => unsupportedPatch(),
  ignoreTimes() {},
  track({ object }) {
    delete object.metadata.managedFields;
  },
};
