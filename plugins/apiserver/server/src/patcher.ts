import type { KubeObject } from '@kubernel/sdk/api';
import type { Resource } from './registry.ts';
import { unsupportedPatch } from './status.ts';

/** What `patch/` does for the pipeline: the four patch types, and who owns which field. */
export interface Patcher {
  /** JSON, merge or strategic merge patch. Returns a new, undecoded object; throws a StatusError worded as upstream. */
  patch(request: PatchRequest): { value: unknown; problems: string[] };
  /** Server-side apply. `live` undefined: the object is created. Throws a 409 with the conflicts when not forced. */
  apply(request: ApplyRequest): KubeObject;
  /** Keeps metadata.managedFields after a create, update or patch that is not an apply. In place. */
  track(request: TrackRequest): void;
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
  /** The decoded configuration, without defaults. */
  applied: KubeObject;
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
  apply() {
    throw unsupportedPatch();
  },
  track({ object }) {
    delete object.metadata.managedFields;
  },
};
