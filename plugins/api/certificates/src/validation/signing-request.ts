import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkSignerName, FieldPath, semanticEqual } from '@kubernel/sdk/api';

/** Certificate signing requests (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/). */

const SPEC = FieldPath.of('spec');
const CONDITIONS = FieldPath.of('status', 'conditions');
const MIN_SECONDS = 600;
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const FINAL = ['Approved', 'Denied', 'Failed'];

/** RFC 5280's key usages, as the API spells them, sorted. */
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

export function checkSigningRequest(object: Decoded, errors: FieldErrors): void {
  const { request = '', signerName, expirationSeconds } = object.spec ?? {};
  const usages: string[] = object.spec?.usages ?? [];
  const problem = problemOf(request);
  if (problem) errors.invalid(SPEC.child('request'), request, problem);
  if (usages.length === 0) errors.required(SPEC.child('usages'));
  usages.forEach((usage, i) => {
    const at = SPEC.child('usages').index(i);
    if (!USAGES.includes(usage)) errors.notSupported(at, usage, USAGES);
    if (usages.indexOf(usage) < i) errors.duplicate(at, usage);
  });
  if (signerName === LEGACY_SIGNER)
    errors.invalid(SPEC.child('signerName'), signerName, 'the legacy signerName is not allowed via this API version');
  else checkSignerName(signerName, SPEC.child('signerName'), errors);
  if (expirationSeconds != null && expirationSeconds < MIN_SECONDS) {
    errors.invalid(SPEC.child('expirationSeconds'), expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)');
  }
  checkConditions(object.status?.conditions ?? [], errors);
}

/** What is wrong with a PEM certificate request in base64, as far as its outer form goes. */
function problemOf(request: string): string | undefined {
  const text = Buffer.from(request, 'base64').toString('latin1');
  const block = /-----BEGIN ([^-]*)-----\s([\s\S]*?)-----END \1-----/.exec(text);
  if (block?.[1] !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  const der = Buffer.from(block[2] ?? '', 'base64');
  if (der.length < 2) return 'asn1: syntax error: sequence truncated';
  if (der[0] !== 0x30) return "asn1: structure error: tags don't match";
  return undefined;
}

function checkConditions(conditions: readonly Decoded[], errors: FieldErrors): void {
  const seen = new Set<string>();
  conditions.forEach(({ type = '', status = '' }, i) => {
    const at = CONDITIONS.index(i);
    if (!type) errors.required(at.child('type'));
    const allowed = FINAL.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (!status) errors.required(at.child('status'));
    else if (!allowed.includes(status)) errors.notSupported(at.child('status'), status, allowed);
    const opposite = type === 'Approved' ? 'Denied' : 'Approved';
    if ((type === 'Approved' || type === 'Denied') && seen.has(opposite)) {
      errors.invalid(at.child('type'), type, 'Approved and Denied conditions are mutually exclusive');
    }
    if (seen.has(type)) errors.duplicate(at.child('type'), type);
    seen.add(type);
  });
}

/** Decisions stay; `addable` are those that this endpoint may make. */
export function checkDecisions(object: Decoded, old: Decoded, errors: FieldErrors, addable: readonly string[]): void {
  const conditionsOf = (request: Decoded, type: string): Decoded[] =>
    (request.status?.conditions ?? []).filter((condition: Decoded) => condition.type === type);
  for (const type of FINAL) {
    const before = conditionsOf(old, type);
    const after = conditionsOf(object, type);
    if (after.length < before.length) errors.forbidden(CONDITIONS, `updates may not remove a condition of type "${type}"`);
    else if (after.length > before.length && !addable.includes(type))
      errors.forbidden(CONDITIONS, `updates may not add a condition of type "${type}"`);
    else if (after.length === before.length && !semanticEqual(after, before))
      errors.forbidden(CONDITIONS, `updates may not modify a condition of type "${type}"`);
  }
}

const CERTIFICATE = FieldPath.of('status', 'certificate');

/** A certificate is issued once, as PEM blocks of type CERTIFICATE. */
export function checkCertificate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  const { certificate = '' } = object.status ?? {};
  const { certificate: before = '' } = old.status ?? {};
  if (certificate === before) return;
  if (before) {
    errors.forbidden(CERTIFICATE, 'updates may not modify existing certificate content');
    return;
  }
  const text = Buffer.from(certificate, 'base64').toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([^-]*)-----/g)];
  if (blocks.length === 0) errors.invalid(CERTIFICATE, '<certificate data>', 'must contain at least one CERTIFICATE PEM block');
  for (const [, type] of blocks) {
    if (type === 'CERTIFICATE') continue;
    errors.invalid(CERTIFICATE, '<certificate data>', `only CERTIFICATE PEM blocks are allowed, found "${type}"`);
    return;
  }
}
