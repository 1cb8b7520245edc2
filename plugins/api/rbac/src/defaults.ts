import type { DefaultFunction } from '@kubernel/sdk';

const GROUP = 'rbac.authorization.k8s.io';

const roleRef: DefaultFunction = (binding) => {
  const ref = binding.roleRef as { apiGroup?: string };
  ref.apiGroup ||= GROUP;
};

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'rbac.v1.ClusterRoleBinding': roleRef,
  'rbac.v1.RoleBinding': roleRef,
  'rbac.v1.Subject': (subject) => {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP;
  },
};
