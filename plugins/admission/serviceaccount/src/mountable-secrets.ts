import type { AdmissionAttributes } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { Pod, ServiceAccount } from './pod.ts';
import { containersOf } from './pod.ts';

/** Where volume types that need credentials name their secret. */
const SECRET_REFERENCES: Readonly<Record<string, string>> = {
  azureFile: 'secretName',
  cephfs: 'secretRef',
  cinder: 'secretRef',
  flexVolume: 'secretRef',
  rbd: 'secretRef',
  scaleIO: 'secretRef',
  iscsi: 'secretRef',
  storageos: 'secretRef',
  csi: 'nodePublishSecretRef',
};

/** Every secret a pod names, in any way. */
export function secretNames(pod: Pod): string[] {
  const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name);
  for (const { env, envFrom } of containersOf(pod)) {
    for (const { valueFrom } of env ?? []) names.push(valueFrom?.secretKeyRef?.name);
    for (const { secretRef } of envFrom ?? []) names.push(secretRef?.name);
  }
  for (const volume of pod.spec.volumes ?? []) {
    names.push(volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) names.push((source.secret as { name?: string } | undefined)?.name);
    for (const [type, field] of Object.entries(SECRET_REFERENCES)) {
      const reference = (volume[type] as Record<string, unknown> | undefined)?.[field];
      names.push(typeof reference === 'string' ? reference : (reference as { name?: string } | undefined)?.name);
    }
  }
  return names.filter((name): name is string => name !== undefined && name !== '');
}

/** An account annotated to enforce it lets its pods use the secrets it lists, and no others. */
export function checkMountable(attributes: AdmissionAttributes, pod: Pod, account: ServiceAccount): void {
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name));
  const refuse = (what: string): Error =>
    admissionDenied(attributes, `${what} is not allowed because service account ${account.metadata.name} does not reference that secret`);
  for (const { secret } of pod.spec.volumes ?? []) {
    if (secret && !mountable.has(secret.secretName))
      throw refuse(`volume with secret.secretName=${JSON.stringify(secret.secretName ?? '')}`);
  }
  const groups = [
    ['init container', pod.spec.initContainers],
    ['container', pod.spec.containers],
    ['ephemeral container', pod.spec.ephemeralContainers],
  ] as const;
  for (const [title, containers] of groups) {
    for (const container of containers ?? []) {
      for (const { name, valueFrom } of container.env ?? []) {
        const secret = valueFrom?.secretKeyRef?.name;
        if (secret !== undefined && !mountable.has(secret))
          throw refuse(`${title} ${container.name} with envVar ${name} referencing secret.secretName=${JSON.stringify(secret)}`);
      }
      for (const { secretRef } of container.envFrom ?? []) {
        if (secretRef && !mountable.has(secretRef.name))
          throw refuse(`${title} ${container.name} with envFrom referencing secret.secretName=${JSON.stringify(secretRef.name ?? '')}`);
      }
    }
  }
  const pullable = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  (pod.spec.imagePullSecrets ?? []).forEach(({ name }, index) => {
    if (!pullable.has(name)) {
      const text = `imagePullSecrets[${index}].name=${JSON.stringify(name ?? '')} is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`;
      throw admissionDenied(attributes, text);
    }
  });
}
