import type { ApiGroup } from '@kubernel/sdk';
import type { Codec } from './codec.ts';
import { createPatcher } from './patch/index.ts';
import type { Patcher } from './patcher.ts';
import { SchemaCodec } from './schema/index.ts';

/** What the types of a set of groups can do: be read and written, be patched and owned field by field. */
export function schemaTypes(groups: readonly ApiGroup[]): { codec: Codec; patcher: Patcher } {
  const codec = new SchemaCodec(groups);
  return { codec, patcher: createPatcher(codec.types) };
}
