import type { TableDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { ageColumn, containerCells, labelsText, nameColumn, selectorText, table } from '@kubernel/sdk/api';

const containers = ['+Containers', ({ spec }: { spec: WithTemplate }) => containerCells(spec.template)[0]] as const;
const images = ['+Images', ({ spec }: { spec: WithTemplate }) => containerCells(spec.template)[1]] as const;
const selector = ['+Selector', ({ spec }: { spec: { selector?: object } }) => selectorText(spec.selector)] as const;
interface WithTemplate {
  template?: { spec?: { containers?: { name?: string; image?: string }[] } };
}

/** How objects print in `kubectl get`, by plural. */
export const tables = {
  controllerrevisions: table(
    nameColumn,
    ['Controller', (revision) => controllerText(revision)],
    ['Revision', ({ revision }) => revision ?? 0],
    ageColumn,
  ),
  daemonsets: table(
    nameColumn,
    ['Desired', 'integer', ({ status }) => status?.desiredNumberScheduled ?? 0],
    ['Current', 'integer', ({ status }) => status?.currentNumberScheduled ?? 0],
    ['Ready', 'integer', ({ status }) => status?.numberReady ?? 0],
    ['Up-to-date', 'integer', ({ status }) => status?.updatedNumberScheduled ?? 0],
    ['Available', 'integer', ({ status }) => status?.numberAvailable ?? 0],
    ['Node Selector', ({ spec }) => labelsText(spec.template?.spec?.nodeSelector)],
    ageColumn,
    containers,
    images,
    selector,
  ),
  deployments: table(
    nameColumn,
    ['Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`],
    ['Up-to-date', ({ status }) => status?.updatedReplicas ?? 0],
    ['Available', ({ status }) => status?.availableReplicas ?? 0],
    ageColumn,
    containers,
    images,
    selector,
  ),
  replicasets: table(
    nameColumn,
    ['Desired', 'integer', ({ spec }) => spec.replicas ?? 0],
    ['Current', 'integer', ({ status }) => status?.replicas ?? 0],
    ['Ready', 'integer', ({ status }) => status?.readyReplicas ?? 0],
    ageColumn,
    containers,
    images,
    selector,
  ),
  statefulsets: table(
    nameColumn,
    ['Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`],
    ageColumn,
    containers,
    images,
  ),
} satisfies Record<string, TableDefinition>;

/** `statefulset.apps/web`. */
function controllerText({ metadata }: KubeObject): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  if (!owner) return '<none>';
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}
