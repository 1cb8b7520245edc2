import type { Strategy } from '@kubernel/sdk';
import { nameIsPathSegment } from '@kubernel/sdk/api';

/** RBAC names are path segments: `system:node` is one. */
const named: Strategy = { validateName: nameIsPathSegment };

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = {
  clusterroles: named,
  clusterrolebindings: named,
  roles: named,
  rolebindings: named,
};
