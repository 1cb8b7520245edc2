/**
 * Patches and field ownership, as pure functions over types: JSON patch, merge patch, strategic merge patch
 * (`json-patch.ts`, `merge-patch.ts`, `strategic-merge.ts`), managedFields (`track.ts`) and server-side apply (`apply.ts`).
 */
import { StatusError } from '@kubernel/sdk';
import type { Patcher } from '../patcher.ts';
import { apply, describe } from './apply.ts';
import { isObject } from './json-object.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { checkRestorable, invalidPatch } from './restore.ts';
import { Shapes } from './shape.ts';
import { applyStrategicPatch } from './strategic-merge.ts';
import { ignoreTimes, track } from './track.ts';
import type { Types } from './types.ts';

/** Keeps what it compiled of each type: make one per set of types. `open`: see {@link Shapes}. */
export function createPatcher(types: Types, open = false): Patcher {
  const shapes = new Shapes(types, open);
  return {
    patch({ kind, resource, live, text }) {
      // Objects are plain JSON: twice as fast as structuredClone.
      const document = JSON.parse(JSON.stringify(live)) as typeof live;
      if (kind === 'json') return applyJsonPatch(document, text);
      if (kind === 'merge') return applyMergePatch(document, text);
      const { value, problems, patch } = applyStrategicPatch(types, resource.type, document, text);
      checkRestorable(types, resource.type, value, patch);
      return { value, problems };
    },
    strictError({ kind, text }, value, problems) {
      const why = `strict decoding error: ${problems.join(', ')}`;
      return invalidPatch(kind === 'strategic' ? JSON.parse(text) : JSON.stringify(value), why);
    },
    apply: (request) => ({ value: apply(shapes, request) }),
    conversionError(resource, applied, error) {
      const gvk = `${resource.group}/${resource.version}, Kind=${resource.kind}`;
      const why = error instanceof Error ? error.message.replace(/^.*?: (?=quantities must)/, '') : String(error);
      return new StatusError(
        500,
        '',
        `failed to convert new object (${describe(resource, isObject(applied) ? applied : {})}) to proper version: unable to convert unstructured object to ${gvk}: ${why}`,
      );
    },
    track: (request) => track(shapes, request),
    ignoreTimes,
  };
}
