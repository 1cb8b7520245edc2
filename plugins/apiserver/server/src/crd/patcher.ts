import { createPatcher } from '../patch/index.ts';
import type { Types } from '../patch/types.ts';
import type { Patcher } from '../patcher.ts';
import type { CustomType, CustomTypes } from './custom-type.ts';

/** Sends what is about a custom resource to a patcher of its own, which goes when its definition changes. */
export function customPatcher(builtIn: Patcher, types: Types, custom: CustomTypes): Patcher {
  const patchers = new WeakMap<CustomType, Patcher>();
  const of = (name: string): Patcher => {
    const type = custom.get(name);
    if (!type) return builtIn;
    let patcher = patchers.get(type);
    if (!patcher) {
      patcher = createPatcher(
        {
          has: (wanted) => wanted === type.name || types.has(wanted),
          schema: (wanted) => (wanted === type.name ? type.typeSchema : types.schema(wanted)),
        },
        true,
      );
      patchers.set(type, patcher);
    }
    return patcher;
  };
  return {
    patch: (request) => of(request.resource.type).patch(request),
    strictError: (request, value, problems) => of(request.resource.type).strictError(request, value, problems),
    apply: (request) => of(request.resource.type).apply(request),
    conversionError: (resource, applied, error) => of(resource.type).conversionError(resource, applied, error),
    track: (request) => of(request.resource.type).track(request),
    ignoreTimes: (old, object) => builtIn.ignoreTimes(old, object),
  };
}
