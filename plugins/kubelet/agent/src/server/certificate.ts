import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

export interface ServingCertificate {
  cert: string;
  key: string;
  /** PEM of the cluster CA: signs what clients show. */
  ca: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const YEAR_MS = 365 * 86_400_000;
const RENEW_MS = 30 * 86_400_000;
const BACKDATE_MS = 300_000;

/**
 * What the kubelet API shows: `system:node:<name>`, signed by the cluster CA under `<dataDir>/pki`, kept in `dir` until it is
 * about to expire. Undefined where the CA's key is not on this machine.
 */
export async function servingCertificate(
  pkiDir: string,
  dir: string,
  nodeName: string,
  names: readonly string[],
): Promise<ServingCertificate | undefined> {
  const [caFile, caKeyFile] = [join(pkiDir, 'ca.crt'), join(pkiDir, 'ca.key')];
  if (!existsSync(caFile) || !existsSync(caKeyFile)) return undefined;
  x509.cryptoProvider.set(webcrypto);
  const ca = readFileSync(caFile, 'utf8');
  const issuer = new x509.X509Certificate(ca);
  const [certFile, keyFile] = [join(dir, 'kubelet.crt'), join(dir, 'kubelet.key')];
  if (existsSync(certFile) && existsSync(keyFile)) {
    const cert = readFileSync(certFile, 'utf8');
    if (await isGood(cert, issuer, nodeName, names)) return { cert, key: readFileSync(keyFile, 'utf8'), ca };
  }
  const [der] = x509.PemConverter.decode(readFileSync(caKeyFile, 'utf8'));
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der as ArrayBuffer, CURVE, false, ['sign']);
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = serial[0]! & 0x7f;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString('hex'),
    subject: new x509.Name([{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }]).toString(),
    issuer: issuer.subject,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + YEAR_MS),
    signingAlgorithm: CURVE,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value }))),
    ],
  });
  const cert = `${certificate.toString('pem')}\n`;
  const key = `${x509.PemConverter.encode(Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)), 'PRIVATE KEY')}\n`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(certFile, cert);
  return { cert, key, ca };
}

async function isGood(pem: string, issuer: x509.X509Certificate, nodeName: string, names: readonly string[]): Promise<boolean> {
  const certificate = new x509.X509Certificate(pem);
  if (certificate.notAfter.getTime() - Date.now() < RENEW_MS || !certificate.subject.includes(`system:node:${nodeName}`)) return false;
  const present =
    certificate
      .getExtension(x509.SubjectAlternativeNameExtension)
      ?.names.toJSON()
      .map(({ value }) => value) ?? [];
  return names.every((name) => present.includes(name)) && (await certificate.verify({ publicKey: issuer.publicKey }));
}

function isAddress(name: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(name) || name.includes(':');
}
