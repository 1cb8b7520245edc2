import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import { organizationsOf } from './request-subject.ts';
import { certificateApproval, certificateSigning } from './signers.ts';
import { subjectRestriction } from './subject-restriction.ts';

/** A P-256 request for CN=ann, O=devs, O=system:masters. */
const MASTERS = `-----BEGIN CERTIFICATE REQUEST-----
MIHxMIGYAgEAMDYxDDAKBgNVBAMMA2FubjENMAsGA1UECgwEZGV2czEXMBUGA1UE
CgwOc3lzdGVtOm1hc3RlcnMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQx2/7J
NggMcal6Ja+WtTgxKrfULbbEzL4GL1saAWRm2er59anjlawR4DEqbf66rpgdfefF
v40FVQrDW/b+nnQooAAwCgYIKoZIzj0EAwIDSAAwRQIgHOaes5wtMDA6iLF+eiLV
f6KkowW5q9ecblEPR3yyv8sCIQCuBovvlRezml+fGW2P4Oo4G8bu7IVqGeA7FOs2
A8G1Kw==
-----END CERTIFICATE REQUEST-----`;

const refusal = async (run: () => unknown): Promise<string> => {
  try {
    await run();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a certificate request', () => {
  it('shows its organizations', () => {
    expect(organizationsOf(MASTERS)).toEqual(['devs', 'system:masters']);
    expect(() => organizationsOf('junk')).toThrow('PEM block type must be CERTIFICATE REQUEST');
  });

  it('may not ask for system:masters from the API client signer', async () => {
    const create = (signerName: string) =>
      admissionRequest({
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        object: { metadata: { name: 'x' }, spec: { signerName, request: Buffer.from(MASTERS).toString('base64') } },
      });
    expect(await refusal(() => subjectRestriction().validate?.(create('kubernetes.io/kube-apiserver-client')))).toContain(
      'system:masters group is not allowed',
    );
    expect(await refusal(() => subjectRestriction().validate?.(create('e.com/own')))).toBe('');
  });

  it('is approved and signed by who may, for that signer or all of its domain', async () => {
    const reader = new MemoryReader();
    const [approval, signing] = [certificateApproval(), certificateSigning()];
    await approval.init?.(reader);
    await signing.init?.(reader);
    const request = (status: object) => ({ metadata: { name: 'x' }, spec: { signerName: 'e.com/own' }, status });
    const change = (status: object) =>
      admissionRequest({
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        object: request(status),
        oldObject: request({}),
      });
    expect(await refusal(() => approval.validate?.(change({})))).toContain(
      'user not permitted to approve requests with signerName "e.com/own"',
    );
    expect(await refusal(() => signing.validate?.(change({ certificate: 'abc' })))).toContain(
      'user not permitted to sign requests with signerName "e.com/own"',
    );
    expect(await refusal(() => signing.validate?.(change({ conditions: [] })))).toBe('');
    reader.allows = ({ verb, resource, name }) =>
      resource === 'signers' && ((verb === 'approve' && name === 'e.com/*') || (verb === 'sign' && name === 'e.com/own'));
    expect(await refusal(() => approval.validate?.(change({})))).toBe('');
    expect(await refusal(() => signing.validate?.(change({ certificate: 'abc' })))).toBe('');
  });
});
