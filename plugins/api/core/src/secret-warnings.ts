import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { Decoded } from '@kubernel/sdk/api';

/** What a server would say of a TLS secret's pair when it loads it. */
export function secretWarnings(secret: Decoded): string[] {
  if (secret.type !== 'kubernetes.io/tls') return [];
  const text = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1');
  const problem = problemOf(text('tls.crt'), text('tls.key'));
  return problem ? [`tls: ${problem}`] : [];
}

function problemOf(certificate: string, key: string): string | undefined {
  const kinds = (pem: string): string[] => [...pem.matchAll(/-----BEGIN ([^-]+)-----/g)].map(([, kind = '']) => kind);
  if (!kinds(certificate).length) return 'failed to find any PEM data in certificate input';
  if (!kinds(certificate).includes('CERTIFICATE')) {
    return `failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${kinds(certificate).join(' ')}]`;
  }
  if (!kinds(key).length) return 'failed to find any PEM data in key input';
  if (!kinds(key).some((kind) => kind.endsWith('PRIVATE KEY')))
    return 'found a certificate rather than a key in the PEM for the private key';
  try {
    const publicKey = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
    const certified = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    return publicKey.equals(certified) ? undefined : 'private key does not match public key';
  } catch {
    return 'failed to parse private key';
  }
}
