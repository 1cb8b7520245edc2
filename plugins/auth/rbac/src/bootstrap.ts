/** The default roles and bindings as objects, and how they are kept up to date on start. */
import type { BootstrapObject } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Binding, Role, Subject } from './objects.ts';
import { GROUP } from './objects.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACED } from './policy-table.ts';
import type { PolicyRule } from './rules.ts';
import { uncovered } from './rules.ts';

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-';
const API_VERSION = `${GROUP}/v1`;

const VERBS: Readonly<Record<string, string[]>> = {
  read: ['get', 'list', 'watch'],
  write: ['create', 'delete', 'deletecollection', 'patch', 'update'],
  all: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
};

/**
 * Every default object, namespaced ones last. Aggregated roles come without rules, which controller/clusterrole-aggregation
 * owns; `gathered` fills them in, for clusters that run without it.
 */
export function bootstrapObjects({ gathered = false }: { gathered?: boolean } = {}): BootstrapObject[] {
  const clusterRoles = parseRoles(CLUSTER_ROLES);
  if (gathered) for (const name of ['view', 'edit', 'admin']) gather(name, clusterRoles);
  else for (const role of clusterRoles) if (role.aggregationRule) role.rules = null;
  const controllers = clusterRoles
    .map(({ metadata }) => metadata.name ?? '')
    .filter((name) => name.startsWith('system:controller:'))
    .map((name) => `${name} -> ${name} : sa:kube-system/${name.slice('system:controller:'.length)}`);
  const list = [
    ...clusterRoles.map((role) => roleObject('clusterroles', role)),
    ...parseBindings([CLUSTER_ROLE_BINDINGS, ...controllers].join('\n')).map((binding) => bindingObject('clusterrolebindings', binding)),
  ];
  for (const [namespace, { roles, bindings }] of Object.entries(NAMESPACED)) {
    list.push(
      ...parseRoles(roles, namespace).map((role) => roleObject('roles', role)),
      ...parseBindings(bindings, namespace).map((binding) => bindingObject('rolebindings', binding)),
    );
  }
  return list;
}

// ------------------------------------------------------------------------------------------------ the table's notation

function metadata(name: string, namespace?: string, aggregatedInto: readonly string[] = []): KubeObject['metadata'] {
  return {
    name,
    ...(namespace ? { namespace } : {}),
    labels: {
      'kubernetes.io/bootstrapping': 'rbac-defaults',
      ...Object.fromEntries(aggregatedInto.map((role) => [`${AGGREGATE}${role}`, 'true'])),
    },
    annotations: { [AUTOUPDATE]: 'true' },
  };
}

function parseRoles(table: string, namespace?: string): Role[] {
  const roles: Role[] = [];
  for (const line of table.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('  ')) {
      roles.at(-1)?.rules?.push(parseRule(line.trim()));
      continue;
    }
    const [, name = '', into, from] = /^(\S+)(?: > ([^<]+?))?(?: < (\S+))?$/.exec(line) ?? [];
    roles.push({
      apiVersion: API_VERSION,
      kind: namespace ? 'Role' : 'ClusterRole',
      metadata: metadata(name, namespace, into?.split(' ')),
      ...(from ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${AGGREGATE}${from}`]: 'true' } }] } } : {}),
      rules: [],
    });
  }
  return roles;
}

function parseRule(text: string): PolicyRule {
  const [what = '', names] = text.split(' # ');
  const [verbs = '', groups = '', ...items] = what.split(' ');
  const list = VERBS[verbs] ?? verbs.split(',');
  if (groups === 'url') return { verbs: [...list], nonResourceURLs: items };
  return {
    verbs: [...list],
    apiGroups: groups
      .slice(0, -1)
      .split(',')
      .map((group) => (group === 'core' ? '' : group)),
    resources: items,
    ...(names ? { resourceNames: names.split(' ') } : {}),
  };
}

function parseBindings(table: string, namespace?: string): Binding[] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', role = '', subjects] = /^(\S+) -> (\S+)(?: : (.+))?$/.exec(line) ?? [];
      return {
        apiVersion: API_VERSION,
        kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
        metadata: metadata(name, namespace),
        ...(subjects ? { subjects: subjects.split(' ').map(parseSubject) } : {}),
        roleRef: { apiGroup: GROUP, kind: namespace ? 'Role' : 'ClusterRole', name: role },
      };
    });
}

function parseSubject(text: string): Subject {
  const colon = text.indexOf(':');
  const [kind, name] = [text.slice(0, colon), text.slice(colon + 1)];
  if (kind !== 'sa') return { kind: kind === 'user' ? 'User' : 'Group', apiGroup: GROUP, name };
  const [namespace = '', account = ''] = name.split('/');
  return { kind: 'ServiceAccount', name: account, namespace };
}

function gather(name: string, roles: readonly Role[]): void {
  const target = roles.find((role) => role.metadata.name === name);
  const sources = roles.filter(({ metadata: { labels } }) => labels?.[`${AGGREGATE}${name}`] === 'true');
  const rules = new Map<string, PolicyRule>();
  for (const source of sources.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
    for (const rule of source.rules ?? []) rules.set(JSON.stringify(rule), rule);
  }
  if (target) target.rules = [...rules.values()];
}

// ------------------------------------------------------------------------------------------------ reconciliation

/** What an administrator added stays; what is missing comes back; the annotation set to false leaves the object alone. */
function roleObject(resource: string, role: Role): BootstrapObject {
  return {
    ...place(resource, role),
    reconcile(existing) {
      const current = existing as Role;
      if (current.metadata.annotations?.[AUTOUPDATE] === 'false') return undefined;
      const missing = role.aggregationRule ? [] : uncovered(current.rules ?? [], role.rules ?? []);
      const meta = mergedMetadata(current, role);
      const aggregation = role.aggregationRule && JSON.stringify(current.aggregationRule) !== JSON.stringify(role.aggregationRule);
      if (missing.length === 0 && !meta && !aggregation) return undefined;
      return {
        object: {
          ...current,
          metadata: meta ?? current.metadata,
          rules: [...(current.rules ?? []), ...missing],
          ...(role.aggregationRule ? { aggregationRule: role.aggregationRule } : {}),
        },
      };
    },
  };
}

function bindingObject(resource: string, binding: Binding): BootstrapObject {
  return {
    ...place(resource, binding),
    reconcile(existing) {
      const current = existing as Binding;
      if (current.metadata.annotations?.[AUTOUPDATE] === 'false') return undefined;
      const { kind, name } = current.roleRef;
      if (kind !== binding.roleRef.kind || name !== binding.roleRef.name) return { object: binding, recreate: true };
      const same = (a: Subject, b: Subject): boolean =>
        a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
      const missing = (binding.subjects ?? []).filter((subject) => !current.subjects?.some((one) => same(one, subject)));
      const meta = mergedMetadata(current, binding);
      if (missing.length === 0 && !meta) return undefined;
      return { object: { ...current, metadata: meta ?? current.metadata, subjects: [...(current.subjects ?? []), ...missing] } };
    },
  };
}

function place(resource: string, object: KubeObject): Pick<BootstrapObject, 'group' | 'version' | 'resource' | 'object'> {
  return { group: GROUP, version: 'v1', resource, object };
}

/** Metadata with the labels and annotations that are missing, or undefined when none is. What has another value keeps it. */
function mergedMetadata(current: KubeObject, wanted: KubeObject): KubeObject['metadata'] | undefined {
  const labels = { ...wanted.metadata.labels, ...current.metadata.labels };
  const annotations = { ...wanted.metadata.annotations, ...current.metadata.annotations };
  const count = (map: Record<string, string> | undefined): number => Object.keys(map ?? {}).length;
  if (count(labels) === count(current.metadata.labels) && count(annotations) === count(current.metadata.annotations)) return undefined;
  return { ...current.metadata, labels, annotations };
}
