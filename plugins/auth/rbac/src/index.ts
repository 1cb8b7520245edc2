/**
 * Role-based access control. `rules.ts`: what a rule covers; `resolver.ts`: which rules a user has; `authorizer.ts`: the
 * decision; `escalation.ts`: who may grant what; `bootstrap.ts` and `policy-table.ts`: the default policy.
 */

import type { PluginDefinition } from '@kubernel/sdk';
import { definePlugin } from '@kubernel/sdk';
import type { RbacConfig } from './authorizer.ts';
import { mastersAuthorizer, rbacAuthorizer } from './authorizer.ts';
import { escalationCheck } from './escalation.ts';

export { bootstrapObjects } from './bootstrap.ts';

const definitions: readonly PluginDefinition<'authz/v1' | 'admission/v1', never>[] = [
  definePlugin('authz/v1', 'masters', { start: () => mastersAuthorizer() }),
  definePlugin<'authz/v1', RbacConfig>('authz/v1', 'rbac', { start: ({ config }) => rbacAuthorizer(config ?? {}) }),
  definePlugin('admission/v1', 'rbac-escalation', { start: () => escalationCheck() }),
] as never;
export default definitions;
