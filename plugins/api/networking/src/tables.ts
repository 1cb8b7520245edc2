import type { TableDefinition } from '@kubernel/sdk';
import type { Cell } from '@kubernel/sdk/api';
import { ageCell, ageColumn, firstOf, nameColumn, selectorText, table } from '@kubernel/sdk/api';

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  ingressclasses: table(
    nameColumn,
    ['Controller', ({ spec }) => spec.controller ?? ''],
    ['Parameters', ({ spec }) => parametersText(spec.parameters)],
    ageColumn,
  ),
  ingresses: table(
    nameColumn,
    ['Class', ({ spec }) => spec.ingressClassName ?? '<none>'],
    ['Hosts', ({ spec }) => hostsText(spec.rules)],
    ['Address', ({ status }) => addressText(status?.loadBalancer?.ingress)],
    ['Ports', ({ spec }) => (spec.tls?.length ? '80, 443' : '80')],
    ageColumn,
  ),
  // upstream prints an age for which it has no column
  ipaddresses: withCell(
    table(nameColumn, ['ParentRef', ({ spec }) => parentText(spec?.parentRef), 'networking.v1.IPAddressSpec.parentRef']),
    ageCell,
  ),
  networkpolicies: table(
    nameColumn,
    ['Pod-Selector', ({ spec }) => selectorText(spec?.podSelector), 'networking.v1.NetworkPolicySpec.podSelector'],
    ageColumn,
  ),
  servicecidrs: table(nameColumn, ['CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(','), 'networking.v1.ServiceCIDRSpec.cidrs'], ageColumn),
} satisfies Record<string, TableDefinition>;

function withCell(definition: TableDefinition, cell: Cell): TableDefinition {
  return { columns: definition.columns, cells: (object, now) => [...definition.cells(object, now), cell(object, now)] };
}

function parametersText(parameters: { kind: string; apiGroup?: string; name: string } | undefined): string {
  if (!parameters) return '<none>';
  return `${parameters.kind}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name}`;
}

function hostsText(rules: { host?: string }[] | undefined): string {
  const hosts = (rules ?? []).map(({ host }) => host ?? '').filter(Boolean);
  return firstOf(hosts, 3) || '*';
}

function addressText(ingress: { ip?: string; hostname?: string }[] | undefined): string {
  const addresses = (ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean);
  return [...new Set(addresses)].sort().join(',');
}

function parentText(parent: { group?: string; resource?: string; namespace?: string; name?: string } | undefined): string {
  if (!parent?.name) return '<none>';
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource;
  return [resource, parent.namespace, parent.name].filter(Boolean).join('/');
}
