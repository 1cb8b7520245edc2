import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

/**
 * The cluster's certificates, made on the first start and read on every other. All PEM, under `<dataDir>/pki`, mode 0600:
 *
 *   ca.crt ca.key                          the cluster CA: signs serving and client certificates
 *   apiserver.crt apiserver.key            what this server shows; names and addresses of the config as SANs
 *   admin.crt admin.key                    `kubernetes-admin` of `system:masters`, also in `<dataDir>/kubeconfig`
 *   kubelet-client.crt kubelet-client.key  what this server shows to kubelets
 *   front-proxy-ca.crt front-proxy-ca.key  signs authenticating proxies, and
 *   front-proxy-client.crt .key            what this server shows to extension API servers
 *   sa.key sa.pub                          signs service account tokens
 */
export interface Pki {
  readonly dir: string;
  readonly ca: CertificateAndKey;
  readonly serving: CertificateAndKey;
  readonly admin: CertificateAndKey;
  readonly kubeletClient: CertificateAndKey;
  readonly frontProxyClient: CertificateAndKey;
  /** PEM of the CA that signs authenticating proxies. */
  readonly frontProxyCa: string;
}

export interface CertificateAndKey {
  cert: string;
  key: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const YEAR_MS = 365 * 86_400_000;
const CA_YEARS = 10;
/** Leaves are renewed on start when less than this is left of their year. */
const RENEW_MS = 30 * 86_400_000;
/** Certificates begin a little in the past, for clocks that run behind. */
const BACKDATE_MS = 300_000;

export async function ensurePki(dir: string, subjectAltNames: readonly string[]): Promise<Pki> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  x509.cryptoProvider.set(webcrypto);
  const ca = await authority(dir, 'ca', 'kubernetes');
  const frontProxyCa = await authority(dir, 'front-proxy-ca', 'front-proxy-ca');
  ensureTokenKey(dir);
  const [serving, admin, kubeletClient, frontProxyClient] = await Promise.all([
    leaf(dir, 'apiserver', ca, { commonName: 'kube-apiserver', names: subjectAltNames }),
    leaf(dir, 'admin', ca, { commonName: 'kubernetes-admin', organization: 'system:masters' }),
    leaf(dir, 'kubelet-client', ca, { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' }),
    leaf(dir, 'front-proxy-client', frontProxyCa, { commonName: 'front-proxy-client' }),
  ]);
  return { dir, ca: ca.pem, serving, admin, kubeletClient, frontProxyClient, frontProxyCa: frontProxyCa.pem.cert };
}

interface Authority {
  pem: CertificateAndKey;
  certificate: x509.X509Certificate;
  key: webcrypto.CryptoKey;
}

async function authority(dir: string, name: string, commonName: string): Promise<Authority> {
  const known = readPair(dir, name);
  if (known) return { pem: known, certificate: new x509.X509Certificate(known.cert), key: await importKey(known.key) };
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${commonName}`,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + CA_YEARS * YEAR_MS),
    signingAlgorithm: CURVE,
    keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pem = { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  writePair(dir, name, pem);
  return { pem, certificate, key: keys.privateKey };
}

interface LeafRequest {
  commonName: string;
  organization?: string;
  /** DNS names and addresses; with any, it is a serving certificate. */
  names?: readonly string[];
}

async function leaf(dir: string, name: string, issuer: Authority, request: LeafRequest): Promise<CertificateAndKey> {
  const known = readPair(dir, name);
  if (known && isGood(known.cert, issuer, request)) return known;
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const now = Date.now();
  const names = (request.names ?? []).map((value): x509.JsonGeneralName => ({ type: isAddress(value) ? 'ip' : 'dns', value }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new x509.Name([...(request.organization ? [{ O: [request.organization] }] : []), { CN: [request.commonName] }]).toString(),
    issuer: issuer.certificate.subject,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + YEAR_MS),
    signingAlgorithm: CURVE,
    publicKey: keys.publicKey,
    signingKey: issuer.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([names.length > 0 ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const pem = { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  writePair(dir, name, pem);
  return pem;
}

function isGood(pem: string, issuer: Authority, request: LeafRequest): boolean {
  const certificate = new x509.X509Certificate(pem);
  if (certificate.issuer !== issuer.certificate.subject || certificate.notAfter.getTime() - Date.now() < RENEW_MS) return false;
  const present =
    certificate
      .getExtension(x509.SubjectAlternativeNameExtension)
      ?.names.toJSON()
      .map(({ value }) => value) ?? [];
  return (request.names ?? []).every((name) => present.includes(name));
}

function ensureTokenKey(dir: string): void {
  if (existsSync(join(dir, 'sa.key'))) return;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  write(join(dir, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  write(join(dir, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }) as string);
}

function readPair(dir: string, name: string): CertificateAndKey | undefined {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  return existsSync(cert) && existsSync(key) ? { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } : undefined;
}

function writePair(dir: string, name: string, { cert, key }: CertificateAndKey): void {
  write(join(dir, `${name}.key`), key);
  write(join(dir, `${name}.crt`), cert);
}

function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return x509.PemConverter.encode(der, 'PRIVATE KEY').concat('\n');
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  return webcrypto.subtle.importKey('pkcs8', der as ArrayBuffer, CURVE, true, ['sign']);
}

function serial(): string {
  // The first bit clear: serial numbers are positive.
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] as number) & 0x7f;
  return Buffer.from(bytes).toString('hex');
}

function isAddress(name: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(name) || name.includes(':');
}
