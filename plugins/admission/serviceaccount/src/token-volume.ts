import { randomInt } from 'node:crypto';
import type { Pod, Volume } from './pod.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const PREFIX = 'kube-api-access-';
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
/** An hour and seven seconds: kubelets know by the odd number that the pod did not ask for it. */
const EXPIRATION_SECONDS = 3607;

/** Mounts the account's token, the cluster's CA and the namespace into every container that has nothing of its own there. */
export function mountToken(pod: Pod): void {
  const existing = pod.spec.volumes?.find(({ name }) => name.startsWith(PREFIX));
  const name = existing?.name ?? generatedName();
  let mounted = false;
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }];
    mounted = true;
  }
  if (mounted && !existing) pod.spec.volumes = [...(pod.spec.volumes ?? []), tokenVolume(name)];
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: EXPIRATION_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: 0o644,
    },
  };
}

function generatedName(): string {
  let name = PREFIX;
  for (let i = 0; i < 5; i++) name += ALPHABET[randomInt(ALPHABET.length)];
  return name;
}
