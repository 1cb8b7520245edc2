import type { ApiReader, Authorizer, AuthzAttributes, AuthzDecision } from '@kubernel/sdk';
import { LRUCache } from 'lru-cache';
import { bootstrapObjects } from './bootstrap.ts';
import type { Binding, Subject } from './objects.ts';
import type { RuleResolver } from './resolver.ts';
import { resolverFor } from './resolver.ts';
import type { PolicyRule } from './rules.ts';
import { ruleAllows } from './rules.ts';

const MASTERS = 'system:masters';
const ALLOW: AuthzDecision = { decision: 'allow' };
const NO_OPINION: AuthzDecision = { decision: 'no-opinion' };

/** Members of system:masters may do everything, whatever the policy says: the way back in after a policy that locks everyone out. */
export function mastersAuthorizer(): Authorizer {
  return { authorize: ({ user }) => (user.groups.includes(MASTERS) ? ALLOW : NO_OPINION) };
}

export interface RbacConfig {
  /** How many decisions are remembered. Default 20,000. */
  cacheSize?: number;
  /** Write the rules of admin, edit and view at start, for clusters without controller/clusterrole-aggregation. Default false. */
  gatherRoles?: boolean;
}

/** Decisions are remembered until any role or binding changes. 20,000 of them hold some 8 MB. */
export function rbacAuthorizer({ cacheSize = 20_000, gatherRoles = false }: RbacConfig = {}): Authorizer {
  let resolver: RuleResolver | undefined;
  const decisions = new LRUCache<string, AuthzDecision>({ max: cacheSize });

  return {
    init(reader: ApiReader) {
      resolver = resolverFor(reader);
      resolver.onChange(() => decisions.clear());
    },
    bootstrap: () => bootstrapObjects({ gathered: gatherRoles }),
    authorize(attributes) {
      if (!resolver) return NO_OPINION;
      const key = keyOf(attributes);
      let decision = decisions.get(key);
      if (!decision) {
        decision = decide(resolver, attributes);
        decisions.set(key, decision);
      }
      return decision;
    },
    rulesFor(user, namespace) {
      const rules: PolicyRule[] = [];
      resolver?.visit(
        user,
        namespace,
        ({ rule }) => rules.push(rule) === 0,
        () => {},
      );
      return {
        resourceRules: rules
          .filter(({ resources }) => resources?.length)
          .map(({ verbs, apiGroups, resources, resourceNames }) => ({
            verbs,
            apiGroups,
            resources,
            ...(resourceNames?.length ? { resourceNames } : {}),
          })),
        nonResourceRules: rules
          .filter(({ nonResourceURLs }) => nonResourceURLs?.length)
          .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      };
    },
  };
}

/** Everything the decision depends on. NUL cannot stand in any of the parts. */
function keyOf(a: AuthzAttributes): string {
  const who = a.user.groups.length === 0 ? a.user.name : `${a.user.name}\0${a.user.groups.join('\0')}`;
  if (!a.resourceRequest) return `${who}\0\0${a.verb}\0${a.path}`;
  return `${who}\0\0${a.verb}\0${a.group}\0${a.resource}\0${a.subresource}\0${a.namespace}\0${a.name}`;
}

function decide(resolver: RuleResolver, attributes: AuthzAttributes): AuthzDecision {
  let decision: AuthzDecision | undefined;
  const errors = new Set<string>();
  resolver.visit(
    attributes.user,
    attributes.namespace,
    ({ rule, binding, subject }) => {
      if (!ruleAllows(rule, attributes)) return false;
      decision = { decision: 'allow', reason: `RBAC: allowed by ${describe(binding, subject)}` };
      return true;
    },
    (error) => errors.add(error),
  );
  if (decision) return decision;
  if (errors.size === 0) return NO_OPINION;
  const list = [...errors];
  return { decision: 'no-opinion', reason: `RBAC: ${list.length === 1 ? list[0] : `[${list.join(', ')}]`}` };
}

function describe(binding: Binding, subject: Subject): string {
  const { name = '', namespace } = binding.metadata;
  const [kind, full] = namespace ? ['RoleBinding', `${name}/${namespace}`] : ['ClusterRoleBinding', name];
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  return `${kind} ${quote(full)} of ${binding.roleRef.kind} ${quote(binding.roleRef.name)} to ${subject.kind} ${quote(who)}`;
}

const quote = (text: string): string => JSON.stringify(text);
