/** The keys that sign and verify service account tokens: PEM files shared by every API server of a cluster. */

import type { KeyObject } from 'node:crypto';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { unusableKeys } from './errors.ts';

export type Algorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256';

export interface VerifyKey {
  id: string;
  algorithm: Algorithm;
  key: KeyObject;
}

export interface TokenKeys {
  signing: { id: string; algorithm: Algorithm; key: KeyObject };
  /** The signing key's public half first, then those of `publicFile`: a rotated key keeps verifying until it is removed there. */
  verifying: VerifyKey[];
}

/** Reads both files; makes an ES256 pair when neither is there. Throws ERR_TOKEN_KEYS. */
export function loadKeys(privateFile: string, publicFile: string): TokenKeys {
  const pem = readOptional(privateFile) ?? makePair(privateFile, publicFile);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw unusableKeys(privateFile, 'it is not a PEM private key', cause);
  }
  const own = describe(createPublicKey(key), privateFile);
  const others = (readOptional(publicFile) ?? '').match(/-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----/g) ?? [];
  const verifying = [own];
  for (const text of others) {
    const other = describe(createPublicKey(text), publicFile);
    if (!verifying.some(({ id }) => id === other.id)) verifying.push(other);
  }
  return { signing: { id: own.id, algorithm: own.algorithm, key }, verifying };
}

/** The key id Kubernetes uses: base64url of the SHA-256 of the public key's DER. */
function describe(key: KeyObject, path: string): VerifyKey {
  const id = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { id, algorithm: algorithmOf(key, path), key };
}

const CURVES: Record<string, Algorithm> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

function algorithmOf(key: KeyObject, path: string): Algorithm {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const algorithm = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (!algorithm) throw unusableKeys(path, `a ${key.asymmetricKeyType} key cannot sign tokens (take RSA or an NIST curve)`);
  return algorithm;
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusableKeys(path, 'it cannot be read', cause);
  }
}

function makePair(privateFile: string, publicFile: string): string {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  mkdirSync(dirname(privateFile), { recursive: true });
  try {
    writeFileSync(privateFile, pair.privateKey, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    // Another process was faster: its key is the cluster's.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return readFileSync(privateFile, 'utf8');
    throw unusableKeys(privateFile, 'it cannot be written', cause);
  }
  writeFileSync(publicFile, pair.publicKey, { mode: 0o644 });
  return pair.privateKey;
}
