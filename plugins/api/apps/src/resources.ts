import type { ResourceDefinition, Subresource } from '@kubernel/sdk';
import type { KubeObject, LabelSelector } from '@kubernel/sdk/api';
import { resourcesOf, selectorText, statusSubresource } from '@kubernel/sdk/api';
import { strategies, TEMPLATE_GENERATION } from './strategy.ts';
import { tables } from './tables.ts';

const define = resourcesOf('apps', 'v1', 'apps');

function stored(kind: string, plural: keyof typeof tables, rest: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const strategy = strategies[plural];
  return define({ kind, plural, namespaced: true, table: tables[plural], ...(strategy && { strategy }), ...rest });
}

const scale: Subresource = {
  type: 'scale',
  specReplicasPath: 'spec.replicas',
  statusReplicasPath: 'status.replicas',
  labelSelector: ({ spec }: KubeObject) => {
    const text = selectorText((spec as { selector?: LabelSelector }).selector);
    return text === '<none>' ? '' : text;
  },
};
const status = (plural: string): Subresource => statusSubresource(strategies[`${plural}/status`]);

export const resources: readonly ResourceDefinition[] = [
  stored('ControllerRevision', 'controllerrevisions'),
  stored('DaemonSet', 'daemonsets', {
    shortNames: ['ds'],
    categories: ['all'],
    subresources: { status: status('daemonsets') },
    versionAnnotations: [TEMPLATE_GENERATION],
  }),
  stored('Deployment', 'deployments', {
    shortNames: ['deploy'],
    categories: ['all'],
    subresources: { scale, status: status('deployments') },
  }),
  stored('ReplicaSet', 'replicasets', { shortNames: ['rs'], categories: ['all'], subresources: { scale, status: status('replicasets') } }),
  stored('StatefulSet', 'statefulsets', {
    shortNames: ['sts'],
    categories: ['all'],
    subresources: { scale, status: status('statefulsets') },
  }),
];
