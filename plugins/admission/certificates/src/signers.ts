/** Permissions on signers: `approve`, `sign` and `attest` on `signers` by name or by `<domain>/*`. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization */
import type { Admission, ApiReader, UserInfo } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

const GROUP = 'certificates.k8s.io';

interface SigningRequest extends KubeObject {
  spec?: { signerName?: string };
  status?: { certificate?: string; conditions?: { type: string }[] };
}

async function maySign(reader: ApiReader, user: UserInfo, verb: string, signer: string): Promise<boolean> {
  for (const name of [signer, `${signer.split('/', 1)[0]}/*`]) {
    const { decision } = await reader.authorize({
      user,
      verb,
      resourceRequest: true,
      group: GROUP,
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      path: '',
    });
    if (decision === 'allow') return true;
  }
  return false;
}

export function certificateApproval(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      operation === 'UPDATE' && group === GROUP && resource === 'certificatesigningrequests' && subresource === 'approval',
    async validate(attributes) {
      const signer = (attributes.oldObject as SigningRequest).spec?.signerName ?? '';
      if (!(await maySign(reader, attributes.user, 'approve', signer))) {
        throw admissionDenied(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
      }
    },
  };
}

export function certificateSigning(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      operation === 'UPDATE' && group === GROUP && resource === 'certificatesigningrequests' && subresource === 'status',
    async validate(attributes) {
      const [now, old] = [attributes.object as SigningRequest, attributes.oldObject as SigningRequest];
      // Only the certificate and the verdict "failed" are the signer's alone.
      const failed = ({ status }: SigningRequest): boolean => status?.conditions?.some(({ type }) => type === 'Failed') ?? false;
      if ((now.status?.certificate ?? '') === (old.status?.certificate ?? '') && failed(now) === failed(old)) return;
      const signer = old.spec?.signerName ?? '';
      if (!(await maySign(reader, attributes.user, 'sign', signer))) {
        throw admissionDenied(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
      }
    },
  };
}

export function clusterTrustBundleAttest(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      (operation === 'CREATE' || operation === 'UPDATE') && group === GROUP && resource === 'clustertrustbundles' && subresource === '',
    async validate(attributes) {
      const signer = (attributes.object as SigningRequest).spec?.signerName;
      if (signer && !(await maySign(reader, attributes.user, 'attest', signer))) {
        throw admissionDenied(attributes, `user not permitted to attest for signerName ${JSON.stringify(signer)}`);
      }
    },
  };
}
