import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import { checkMountable, secretNames } from './mountable-secrets.ts';
import type { Pod, ServiceAccount } from './pod.ts';
import { mountToken } from './token-volume.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const ENFORCE = 'kubernetes.io/enforce-mountable-secrets';

/**
 * A pod runs as a service account that exists, with its token mounted and its pull secrets.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-admission-controller
 */
export function serviceAccountAdmission(): Admission {
  let reader: ApiReader;

  /** Without a promise where the account is there already, as it is for nearly every pod. */
  const withAccount = (attributes: AdmissionAttributes, name: string, use: (account: ServiceAccount) => void): void | Promise<void> => {
    const look = (): ServiceAccount | undefined => reader.get<ServiceAccount>('', 'serviceaccounts', attributes.namespace, name);
    const found = look();
    if (found) return use(found);
    return Promise.resolve(reader.fresh?.()).then(async () => {
      const late = look() ?? (name === 'default' ? await soon(look) : undefined);
      if (late) return use(late);
      const who = `${attributes.namespace}/${name}`;
      throw admissionDenied(attributes, `error looking up service account ${who}: serviceaccount ${JSON.stringify(name)} not found`);
    });
  };

  const check = (attributes: AdmissionAttributes, pod: Pod, account: ServiceAccount): void => {
    if (account.metadata.annotations?.[ENFORCE] === 'true') checkMountable(attributes, pod, account);
  };

  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      group === '' &&
      resource === 'pods' &&
      ((operation === 'CREATE' && subresource === '') || (operation === 'UPDATE' && subresource === 'ephemeralcontainers')),
    admit(attributes) {
      const pod = attributes.object as Pod;
      if (attributes.operation === 'UPDATE') return;
      // A mirror pod shows what a kubelet already runs: it is checked, never changed.
      if (pod.metadata.annotations?.[MIRROR] !== undefined) return checkMirror(attributes, pod);
      const name = pod.spec.serviceAccountName || pod.spec.serviceAccount || 'default';
      pod.spec.serviceAccountName = name;
      pod.spec.serviceAccount = name;
      return withAccount(attributes, name, (account) => {
        if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod);
        if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
          pod.spec.imagePullSecrets = account.imagePullSecrets.map(({ name: secret }) => ({ name: secret }));
        }
      });
    },
    validate(attributes) {
      const pod = attributes.object as Pod;
      if (pod.metadata.annotations?.[MIRROR] !== undefined) return checkMirror(attributes, pod);
      return withAccount(attributes, pod.spec.serviceAccountName || 'default', (account) => check(attributes, pod, account));
    },
  };
}

function checkMirror(attributes: AdmissionAttributes, pod: Pod): void {
  if (pod.spec.serviceAccountName) throw admissionDenied(attributes, 'a mirror pod may not reference service accounts');
  if (secretNames(pod).length > 0) throw admissionDenied(attributes, 'a mirror pod may not reference secrets');
  const projected = pod.spec.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken));
  if (projected) throw admissionDenied(attributes, 'a mirror pod may not use ServiceAccountToken volume projections');
}

const WAITS_MS = [20, 50, 100, 200, 400, 700];

/** The default account of a namespace is made by a controller moments after the namespace: pods wait for it for a second and a half. */
async function soon<T>(look: () => T | undefined): Promise<T | undefined> {
  for (const ms of WAITS_MS) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const found = look();
    if (found) return found;
  }
  return undefined;
}
