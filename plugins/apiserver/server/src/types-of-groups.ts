import type { ApiGroup } from '@kubernel/sdk';
import type { OpenApi } from './api.ts';
import type { Codec } from './codec.ts';
import { CustomCodec } from './crd/codec.ts';
import type { CustomTypes } from './crd/custom-type.ts';
import { customOpenApi } from './crd/openapi.ts';
import { customPatcher } from './crd/patcher.ts';
import { createPatcher } from './patch/index.ts';
import type { Patcher } from './patcher.ts';
import { clientLibraryDescriptions, type Descriptions, openApiV2, openApiV3, SchemaCodec } from './schema/index.ts';

/** What the types of a set of groups can do: be read and written, be patched and owned field by field. */
export function schemaTypes(groups: readonly ApiGroup[], custom: CustomTypes): { codec: Codec; patcher: Patcher; openApi: OpenApi } {
  const codec = new SchemaCodec(groups.some(({ types }) => 'autoscaling.v1.Scale' in types) ? groups : [...groups, scaleTypes]);
  // Read when a client first asks for a schema: most servers live without.
  const source = () => ({ groups, types: codec.types, ...described() });
  let builtIn: Map<string, () => object> | undefined;
  const customs = customOpenApi(custom, source);
  return {
    codec: new CustomCodec(codec, custom),
    patcher: customPatcher(createPatcher(codec.types), codec.types, custom),
    openApi: {
      v2: (customGroups) => openApiV2({ ...customs.source(), groups: [...groups, ...customGroups] }),
      v3(customGroups) {
        builtIn ??= openApiV3(source());
        return new Map([...builtIn, ...customs.v3(customGroups)]);
      },
    },
  };
}

/** What `/scale` speaks, for clusters composed without the group that defines it. */
const scaleTypes: ApiGroup = {
  group: 'autoscaling',
  versions: [],
  types: {
    'autoscaling.v1.Scale': {
      kind: ['string', 0, 'e'],
      apiVersion: ['string', 0, 'e'],
      metadata: ['meta.v1.ObjectMeta', 1, 'e'],
      spec: ['autoscaling.v1.ScaleSpec', 2, 'e'],
      status: ['autoscaling.v1.ScaleStatus', 3, 'e'],
    },
    'autoscaling.v1.ScaleSpec': { replicas: ['int32', 1, 'e'] },
    'autoscaling.v1.ScaleStatus': { replicas: ['int32', 1, ''], selector: ['string', 2, 'e'] },
  },
  resources: [],
};

let descriptions: { descriptions?: Descriptions } | undefined;

function described(): { descriptions?: Descriptions } {
  if (!descriptions) {
    const found = clientLibraryDescriptions();
    descriptions = found ? { descriptions: found } : {};
  }
  return descriptions;
}
