import { definePlugin, statusCode } from '@kubernel/sdk';
import { type ClusterRole, type PolicyRule, selectorOf, semanticEqual } from '@kubernel/sdk/api';
import { CLUSTER_ROLES, controllerParts, isNotFound } from '@kubernel/sdk/client';

const MANAGER = 'clusterrole-aggregation-controller';

/**
 * A ClusterRole with an aggregationRule has the rules of all cluster roles that its selectors match
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles).
 */
export const clusterRoleAggregation = definePlugin('controller/v1', 'clusterrole-aggregation', {
  start(ctx) {
    const parts = controllerParts(ctx, MANAGER);
    const roles = parts.informers.get<ClusterRole>(CLUSTER_ROLES, {
      indexes: { aggregating: (role) => (role.aggregationRule ? ['yes'] : []) },
    });
    const reconciler = parts.reconciler('clusterrole-aggregation', sync);
    // Any role may be matched by any aggregating one; there are few of those.
    reconciler.watch(roles, () => roles.byIndex('aggregating', 'yes').map(({ metadata }) => metadata.name ?? ''));
    return parts.run(reconciler);

    async function sync(name: string): Promise<void> {
      const role = roles.get(name);
      if (!role?.aggregationRule) return;
      const rules = aggregatedRules(role, roles.list());
      if (semanticEqual(rules, role.rules)) return;
      const applied = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
      try {
        await parts.client.patch(CLUSTER_ROLES, name, { type: 'apply', patch: applied }, { fieldManager: MANAGER, force: true });
      } catch (error) {
        // A server without server-side apply.
        if (statusCode(error) === 415) await parts.client.patch(CLUSTER_ROLES, name, { type: 'merge', patch: { rules } });
        else if (!isNotFound(error)) throw error;
      }
    }
  },
});

/** In the order of the selectors, and of the names under each; equal rules once. */
export function aggregatedRules(role: ClusterRole, all: Iterable<ClusterRole>): PolicyRule[] {
  const sorted = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: PolicyRule[] = [];
  for (const labelSelector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorOf(labelSelector);
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name || !selector.matches(other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) if (!rules.some((known) => semanticEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}
