import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from './pod.ts';
import { serviceAccountAdmission } from './service-account.ts';

let reader: MemoryReader;
beforeEach(() => {
  reader = new MemoryReader();
  reader.put('/serviceaccounts', { metadata: { name: 'default', namespace: 'ns' }, imagePullSecrets: [{ name: 'pull' }] });
});

const pod = (spec: Partial<Pod['spec']> = {}, annotations: Record<string, string> = {}): Pod => ({
  metadata: { name: 'x', annotations },
  spec: { containers: [{ name: 'c' }], ...spec },
});

async function admit(object: Pod): Promise<string> {
  const plugin = serviceAccountAdmission();
  await plugin.init?.(reader);
  const request = admissionRequest({ object });
  try {
    await plugin.admit?.(request);
    await plugin.validate?.(request);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('service-account', () => {
  it('gives a pod its account, pull secrets and a token volume in every container', async () => {
    const object = pod({ initContainers: [{ name: 'i' }] });
    expect(await admit(object)).toBe('');
    expect(object.spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default', imagePullSecrets: [{ name: 'pull' }] });
    const name = object.spec.volumes?.[0]?.name;
    expect(name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    const mount = { name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    expect([object.spec.containers[0]?.volumeMounts, object.spec.initContainers?.[0]?.volumeMounts]).toEqual([[mount], [mount]]);
    expect(object.spec.volumes?.[0]?.projected).toMatchObject({
      defaultMode: 420,
      sources: [{ serviceAccountToken: { expirationSeconds: 3607 } }, {}, {}],
    });
  });

  it('mounts nothing where the pod or its account does not want it, or something is mounted there', async () => {
    const none = pod({ automountServiceAccountToken: false });
    await admit(none);
    expect(none.spec.volumes).toBeUndefined();
    const own = pod({
      containers: [{ name: 'c', volumeMounts: [{ name: 'mine', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }],
    });
    await admit(own);
    expect(own.spec.volumes).toBeUndefined();
    reader.put('/serviceaccounts', { metadata: { name: 's', namespace: 'ns' }, automountServiceAccountToken: false });
    const quiet = pod({ serviceAccountName: 's' });
    await admit(quiet);
    expect(quiet.spec.volumes).toBeUndefined();
  });

  it('refuses an account that is missing, and waits a moment for the default one', async () => {
    expect(await admit(pod({ serviceAccountName: 'nope' }))).toBe(
      'pods "x" is forbidden: error looking up service account ns/nope: serviceaccount "nope" not found',
    );
    reader.remove('/serviceaccounts', 'ns', 'default');
    setTimeout(() => reader.put('/serviceaccounts', { metadata: { name: 'default', namespace: 'ns' } }), 30);
    expect(await admit(pod())).toBe('');
  });

  it('leaves mirror pods as they are, without accounts and secrets', async () => {
    const mirror = { 'kubernetes.io/config.mirror': 'h' };
    const fine = pod({}, mirror);
    expect(await admit(fine)).toBe('');
    expect(fine.spec.serviceAccountName).toBeUndefined();
    expect(await admit(pod({ serviceAccountName: 'default' }, mirror))).toContain('a mirror pod may not reference service accounts');
    expect(await admit(pod({ volumes: [{ name: 'v', secret: { secretName: 's' } }] }, mirror))).toContain(
      'a mirror pod may not reference secrets',
    );
  });

  it('holds pods to the secrets of an account that enforces them', async () => {
    reader.put('/serviceaccounts', {
      metadata: { name: 's', namespace: 'ns', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
      secrets: [{ name: 'ok' }],
    });
    const using = (secretName: string): Pod => pod({ serviceAccountName: 's', volumes: [{ name: 'v', secret: { secretName } }] });
    expect(await admit(using('ok'))).toBe('');
    expect(await admit(using('z'))).toBe(
      'pods "x" is forbidden: volume with secret.secretName="z" is not allowed because service account s does not reference that secret',
    );
  });
});
