import type { DefaultFunction } from '@kubernel/sdk';

interface Rollout {
  type?: string;
  rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string; partition?: number };
}

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'apps.v1.DaemonSet': ({ metadata }) => {
    // Where an older API had a field: how often the template has changed. The strategy counts.
    const meta = metadata as { annotations?: Record<string, string> };
    meta.annotations = { 'deprecated.daemonset.template.generation': '0', ...meta.annotations };
  },

  'apps.v1.DaemonSetSpec': (spec) => {
    const strategy = spec.updateStrategy as Rollout;
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {};
      strategy.rollingUpdate.maxUnavailable ??= 1;
      strategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
  },

  'apps.v1.DeploymentSpec': (spec) => {
    spec.replicas ??= 1;
    const strategy = spec.strategy as Rollout;
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {};
      strategy.rollingUpdate.maxUnavailable ??= '25%';
      strategy.rollingUpdate.maxSurge ??= '25%';
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
  },

  'apps.v1.ReplicaSetSpec': (spec) => {
    spec.replicas ??= 1;
  },

  'apps.v1.StatefulSetSpec': (spec) => {
    spec.podManagementPolicy ||= 'OrderedReady';
    const strategy = spec.updateStrategy as Rollout;
    if (!strategy.type) {
      strategy.type = 'RollingUpdate';
      strategy.rollingUpdate ??= {};
    }
    if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0;
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {}) as { whenDeleted?: string; whenScaled?: string };
    retention.whenDeleted ||= 'Retain';
    retention.whenScaled ||= 'Retain';
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    // upstream writes what the templates are, whatever the body says (protobuf, its storage form, does not carry it)
    for (const claim of (spec.volumeClaimTemplates ?? []) as { kind?: string; apiVersion?: string }[])
      Object.assign(claim, { kind: 'PersistentVolumeClaim', apiVersion: 'v1' });
  },
};
