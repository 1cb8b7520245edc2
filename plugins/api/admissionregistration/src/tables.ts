import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, nameColumn, selectorText, table } from '@kubernel/sdk/api';

const webhooks = table(nameColumn, ['Webhooks', 'integer', ({ webhooks: list }) => list?.length ?? 0], ageColumn);
const bindings = table(
  nameColumn,
  ['PolicyName', ({ spec }) => spec?.policyName ?? ''],
  ['ParamRef', ({ spec }) => paramText(spec?.paramRef)],
  ageColumn,
);
const paramKind = ['ParamKind', ({ spec }: { spec?: { paramKind?: ParamKind } }) => paramKindText(spec?.paramKind)] as const;

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  mutatingadmissionpolicies: table(nameColumn, ['Mutations', 'integer', ({ spec }) => spec?.mutations?.length ?? 0], paramKind, ageColumn),
  mutatingadmissionpolicybindings: bindings,
  mutatingwebhookconfigurations: webhooks,
  validatingadmissionpolicies: table(
    nameColumn,
    ['Validations', 'integer', ({ spec }) => spec?.validations?.length ?? 0],
    paramKind,
    ageColumn,
  ),
  validatingadmissionpolicybindings: bindings,
  validatingwebhookconfigurations: webhooks,
} satisfies Record<string, TableDefinition>;

interface ParamKind {
  apiVersion?: string;
  kind?: string;
}
function paramKindText(kind: ParamKind | undefined): string {
  return kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>';
}

function paramText(ref: { name?: string; namespace?: string; selector?: object } | undefined): string {
  if (!ref) return '<unset>';
  if (ref.name) return ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
  return ref.selector ? selectorText(ref.selector) : '<unset>';
}
