/**
 * Nobody grants what they do not have: whoever writes a role must hold its rules (or may `escalate`), whoever writes a
 * binding must hold the rules of its role (or may `bind` it). Runs in the mutating phase, after everything else that
 * mutates, since upstream checks before validation.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { Binding, Role } from './objects.ts';
import { GROUP } from './objects.ts';
import type { RuleResolver } from './resolver.ts';
import { resolverFor } from './resolver.ts';
import type { PolicyRule } from './rules.ts';
import { compact, printList, printRule, uncovered } from './rules.ts';

const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);
const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export function escalationCheck(): Admission {
  let reader: ApiReader;
  let resolver: RuleResolver;
  return {
    init(apiReader) {
      reader = apiReader;
      resolver = resolverFor(apiReader);
    },
    handles: (operation, group, resource, subresource) =>
      group === GROUP &&
      subresource === '' &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      (ROLES.has(resource) || BINDINGS.has(resource)),
    async admit(attributes) {
      if (attributes.user.groups.includes('system:masters')) return;
      if (ROLES.has(attributes.resource)) await checkRole(attributes, reader, resolver);
      else await checkBinding(attributes, reader, resolver);
    },
  };
}

async function checkRole(attributes: AdmissionAttributes, reader: ApiReader, resolver: RuleResolver): Promise<void> {
  const role = attributes.object as Role;
  const old = attributes.oldObject as Role | undefined;
  if (old && same(old.rules ?? [], role.rules ?? []) && same(old.aggregationRule, role.aggregationRule)) return;
  const name = attributes.name || (role.metadata.name ?? '');
  if (await may(reader, attributes, 'escalate', attributes.resource, name)) return;
  const denial = denialOf(attributes, resolver, role.rules ?? []);
  if (denial) throw forbidden(attributes, denial);
  if (role.aggregationRule && denialOf(attributes, resolver, EVERYTHING)) {
    throw forbidden(attributes, 'must have cluster-admin privileges to use an aggregationRule');
  }
}

async function checkBinding(attributes: AdmissionAttributes, reader: ApiReader, resolver: RuleResolver): Promise<void> {
  const binding = attributes.object as Binding;
  const old = attributes.oldObject as Binding | undefined;
  if (old && same(old.roleRef, binding.roleRef) && same(old.subjects ?? [], binding.subjects ?? [])) return;
  const { roleRef } = binding;
  // A reference that is no valid reference is left to validation, which says so better.
  const resource = roleRef?.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (roleRef?.name && (await may(reader, attributes, 'bind', resource, roleRef.name))) return;
  if (!roleRef?.name || (roleRef.kind !== 'Role' && roleRef.kind !== 'ClusterRole')) return;
  const rules = resolver.rulesOf(roleRef, attributes.namespace);
  if (!rules) {
    const kind = roleRef.kind.toLowerCase();
    throw new StatusError(404, 'NotFound', `${kind}.${GROUP} ${JSON.stringify(roleRef.name)} not found`, {
      name: roleRef.name,
      group: GROUP,
      kind,
    });
  }
  const denial = denialOf(attributes, resolver, rules);
  if (denial) throw forbidden(attributes, denial);
}

async function may(
  reader: ApiReader,
  { user, namespace }: AdmissionAttributes,
  verb: string,
  resource: string,
  name: string,
): Promise<boolean> {
  const { decision } = await reader.authorize({
    user,
    verb,
    resourceRequest: true,
    group: GROUP,
    version: '*',
    resource,
    subresource: '',
    namespace,
    name,
    path: '',
  });
  return decision === 'allow';
}

function denialOf({ user, namespace }: AdmissionAttributes, resolver: RuleResolver, rules: readonly PolicyRule[]): string | undefined {
  const owned: PolicyRule[] = [];
  const errors: string[] = [];
  resolver.visit(
    user,
    namespace,
    ({ rule }) => owned.push(rule) === 0,
    (error) => errors.push(error),
  );
  const missing = uncovered(owned, rules);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(compact(missing).map(printRule))].sort();
  const resolution = errors.length > 0 ? `; resolution errors: [${errors.join(', ')}]` : '';
  return `user ${JSON.stringify(user.name)} (groups=${printList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${resolution}`;
}

function forbidden({ resource, object, name }: AdmissionAttributes, why: string): StatusError {
  const subject = object?.metadata.name ?? name;
  return new StatusError(403, 'Forbidden', `${resource}.${GROUP} ${JSON.stringify(subject)} is forbidden: ${why}`, {
    name: subject,
    group: GROUP,
    kind: resource,
  });
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
