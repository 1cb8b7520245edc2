import { KubernelError } from '@kubernel/sdk';

/** ERR_CERTIFICATE_REJECTED: a client certificate was shown, and it does not prove who the client is. */
export function certificateRejected(subject: string, why: string): KubernelError {
  return new KubernelError('ERR_CERTIFICATE_REJECTED', `client certificate rejected: ${why}`, {
    subject,
    hint: 'ask for a certificate signed by the cluster CA (kubectl certificate approve), or renew it',
  });
}

/** ERR_CA_UNREADABLE: a configured CA bundle holds no usable certificate. */
export function caUnreadable(path: string, cause: unknown): KubernelError {
  return new KubernelError('ERR_CA_UNREADABLE', `no certificate authority could be read from ${path}`, {
    subject: path,
    hint: 'point the setting at a PEM file with at least one certificate',
    cause,
  });
}
