import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiReader } from '@kubernel/sdk';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjectOf } from './der.ts';
import { createX509 } from './index.ts';
import { CertificateVerifier, parseBundle } from './verify.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const now = Math.floor(Date.now() / 1000) * 1000;

interface Authority {
  pem: string;
  sign(subject: string, options?: { usage?: string; from?: number; to?: number }): Promise<Uint8Array>;
}

async function authority(name: string): Promise<Authority> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + 10 * DAY),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    pem: root.toString('pem'),
    async sign(subject, { usage = '1.3.6.1.5.5.7.3.2', from = now - DAY, to = now + DAY } = {}) {
      const leaf = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: '02',
        subject,
        issuer: root.subject,
        notBefore: new Date(from),
        notAfter: new Date(to),
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.ExtendedKeyUsageExtension([usage])],
      });
      return new Uint8Array(certificate.rawData);
    },
  };
}

let clients: Authority;
let proxies: Authority;
const dataDir = mkdtempSync(join(tmpdir(), 'kubernel-x509-'));

beforeAll(async () => {
  x509.cryptoProvider.set(webcrypto as Crypto);
  [clients, proxies] = await Promise.all([authority('CN=cluster'), authority('CN=front')]);
  mkdirSync(join(dataDir, 'pki'));
  writeFileSync(join(dataDir, 'pki/ca.crt'), clients.pem);
  writeFileSync(join(dataDir, 'pki/front-proxy-ca.crt'), proxies.pem);
});
afterAll(() => rmSync(dataDir, { recursive: true }));

describe('client certificates', () => {
  it('make the common name the user and each organization a group', async () => {
    const der = await clients.sign('CN=ann, O=devs, O=system:masters');
    expect(new CertificateVerifier(parseBundle(clients.pem)).verify(der)).toMatchObject({
      name: 'ann',
      groups: ['devs', 'system:masters'],
    });
  });

  it('cannot smuggle a group into another field by separators', async () => {
    const der = await clients.sign('CN="ann\\nO=system:masters, O=x"');
    expect(subjectOf(der).organizations).toEqual([]);
  });

  it('are refused when another authority signed them, when expired, not yet valid, or for servers', async () => {
    const verifier = new CertificateVerifier(parseBundle(clients.pem), { now: () => now });
    const reason = async (der: Promise<Uint8Array>): Promise<string> => {
      try {
        return verifier.verify(await der).name;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await reason(proxies.sign('CN=ann'))).toContain('unknown authority');
    expect(await reason(clients.sign('CN=ann', { to: now - 1000 }))).toContain('expired');
    expect(await reason(clients.sign('CN=ann', { from: now + 60_000 }))).toContain('not yet valid');
    expect(await reason(clients.sign('CN=ann', { usage: '1.3.6.1.5.5.7.3.1' }))).toContain('extended key usage');
    expect(await reason(Promise.resolve(new Uint8Array([0x30, 3, 1])))).toContain('cannot be parsed');
  });

  it('that were verified once expire all the same', async () => {
    let clock = now;
    const verifier = new CertificateVerifier(parseBundle(clients.pem), { now: () => clock });
    const der = await clients.sign('CN=ann');
    expect(verifier.verify(der).name).toBe('ann');
    expect(verifier.verify(Uint8Array.from(der)).name).toBe('ann');
    clock = now + 2 * DAY;
    expect(() => verifier.verify(der)).toThrow('expired');
  });
});

describe('the authenticator', () => {
  const plugin = () => {
    const authenticator = createX509({ config: { frontProxy: { allowedNames: ['front-proxy-client'] } }, dataDir });
    void authenticator.init?.({} as ApiReader);
    return authenticator;
  };
  const headers = { 'x-remote-user': 'bob', 'x-remote-group': 'devs, ops', 'x-remote-extra-scopes%2fa': 'read' };

  it('has no opinion without a certificate, whatever the headers say', () => {
    expect(plugin().authenticate({ headers })).toBeNull();
  });

  it('believes headers that come with a proxy certificate', async () => {
    const peerCertificate = await proxies.sign('CN=front-proxy-client');
    expect(plugin().authenticate({ headers, peerCertificate })).toEqual({
      name: 'bob',
      groups: ['devs', 'ops'],
      extra: { 'scopes/a': ['read'] },
    });
  });

  it('does not believe headers of a client, which stays who it is, nor of a proxy with another name', async () => {
    const own = await clients.sign('CN=mallory');
    expect(plugin().authenticate({ headers, peerCertificate: own })).toMatchObject({ name: 'mallory' });
    const stranger = await proxies.sign('CN=stranger');
    expect(() => plugin().authenticate({ headers, peerCertificate: stranger })).toThrow('unknown authority');
  });
});
