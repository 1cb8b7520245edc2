import { createHash, X509Certificate } from 'node:crypto';
import type { UserInfo } from '@kubernel/sdk';
import { LRUCache } from 'lru-cache';
import { subjectOf } from './der.ts';
import { certificateRejected } from './errors.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates of a PEM bundle. Throws what node:crypto throws for a certificate it cannot read. */
export function parseBundle(pem: string): X509Certificate[] {
  return [...pem.matchAll(CERTIFICATE)].map(([text]) => new X509Certificate(text));
}

interface Verified {
  subject: string;
  user: UserInfo;
  notBefore: number;
  notAfter: number;
}

/**
 * Verifies leaf certificates against a set of authorities. Signatures cost ~100 us, so a verified certificate is kept by the
 * SHA-256 of its DER (validity is looked at on each call); a rejected one is never kept, since a bounded cache of
 * failures would let one client push out the good entries.
 */
export class CertificateVerifier {
  readonly #authorities: readonly X509Certificate[];
  readonly #now: () => number;
  readonly #verified: LRUCache<string, Verified>;
  /** The buffer a connection keeps is the same one on each of its requests: not even a hash is needed then. */
  readonly #byBuffer = new WeakMap<Uint8Array, Verified>();

  /** `now` in milliseconds. */
  constructor(authorities: readonly X509Certificate[], options: { cacheSize?: number; now?: () => number } = {}) {
    this.#authorities = authorities;
    this.#now = options.now ?? Date.now;
    this.#verified = new LRUCache({ max: options.cacheSize ?? 5_000 });
  }

  /**
   * Who the certificate says its holder is: common name as user, organizations as groups.
   * Throws ERR_CERTIFICATE_REJECTED when it is not signed by an authority, is not valid now or is not for client authentication.
   */
  verify(der: Uint8Array): UserInfo {
    let known = this.#byBuffer.get(der);
    if (!known) {
      const fingerprint = createHash('sha256').update(der).digest('base64');
      known = this.#verified.get(fingerprint);
      if (!known) {
        known = this.#check(der);
        this.#verified.set(fingerprint, known);
      }
      this.#byBuffer.set(der, known);
    }
    const now = this.#now();
    if (now < known.notBefore) throw certificateRejected(known.subject, 'it is not yet valid');
    if (now > known.notAfter) throw certificateRejected(known.subject, 'it has expired');
    return known.user;
  }

  #check(der: Uint8Array): Verified {
    let certificate: X509Certificate;
    let name: ReturnType<typeof subjectOf>;
    try {
      certificate = new X509Certificate(der);
      name = subjectOf(certificate.raw);
    } catch {
      throw certificateRejected('', 'it cannot be parsed');
    }
    const subject = name.commonName;
    const signer = this.#authorities.find((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
    if (!signer) throw certificateRejected(subject, 'it is signed by an unknown authority');
    const usage: readonly string[] | undefined = certificate.keyUsage;
    if (usage?.length && !usage.includes(CLIENT_AUTH) && !usage.includes(ANY_USAGE)) {
      throw certificateRejected(subject, 'its extended key usage does not include client authentication');
    }
    if (subject === '') throw certificateRejected(subject, 'its subject has no common name');
    return {
      subject,
      user: {
        name: subject,
        groups: name.organizations,
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${createHash('sha256').update(der).digest('hex')}`] },
      },
      notBefore: Math.max(Date.parse(certificate.validFrom), Date.parse(signer.validFrom)),
      notAfter: Math.min(Date.parse(certificate.validTo), Date.parse(signer.validTo)),
    };
  }
}
