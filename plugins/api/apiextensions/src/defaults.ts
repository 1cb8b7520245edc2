import type { DefaultFunction } from '@kubernel/sdk';

interface Spec {
  names: { kind?: string; singular?: string; listKind?: string };
  conversion?: { strategy?: string };
}

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'apiextensions.v1.CustomResourceDefinitionSpec': (value) => {
    const spec = value as unknown as Spec;
    spec.names.singular ||= (spec.names.kind ?? '').toLowerCase();
    if (!spec.names.listKind && spec.names.kind) spec.names.listKind = `${spec.names.kind}List`;
    spec.conversion ??= { strategy: 'None' };
  },
  'apiextensions.v1.ServiceReference': (reference) => {
    reference.port ??= 443;
  },
};
