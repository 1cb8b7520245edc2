import type { ApiGroup } from '@kubernel/sdk';
import type { OpenApi } from './api.ts';
import type { Codec } from './codec.ts';
import { createPatcher } from './patch/index.ts';
import type { Patcher } from './patcher.ts';
import { clientLibraryDescriptions, type Descriptions, openApiV2, openApiV3, SchemaCodec } from './schema/index.ts';

/** What the types of a set of groups can do: be read and written, be patched and owned field by field. */
export function schemaTypes(groups: readonly ApiGroup[]): { codec: Codec; patcher: Patcher; openApi: OpenApi } {
  const codec = new SchemaCodec(groups);
  // Read when a client first asks for a schema: most servers live without.
  const source = () => ({ groups, types: codec.types, ...described() });
  return { codec, patcher: createPatcher(codec.types), openApi: { v2: () => openApiV2(source()), v3: () => openApiV3(source()) } };
}

let descriptions: { descriptions?: Descriptions } | undefined;

function described(): { descriptions?: Descriptions } {
  if (!descriptions) {
    const found = clientLibraryDescriptions();
    descriptions = found ? { descriptions: found } : {};
  }
  return descriptions;
}
