import type { FieldErrors, FieldPath } from './field-errors.ts';
import { byteLength, dns1123Label, dns1123Subdomain } from './names.ts';

const MAX_DOMAIN = 253;
const MAX_SIGNER_NAME = 253 + 1 + 63 + 1 + 253;

/** `example.com/signer`: whom certificates come from (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#signers). */
export function checkSignerName(name: string | undefined, path: FieldPath, errors: FieldErrors): void {
  if (!name) {
    errors.required(path);
    return;
  }
  const segments = name.split('/');
  const [domain = '', signer = ''] = segments;
  if (segments.length !== 2) {
    errors.invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
    return;
  }
  if (byteLength(domain) > MAX_DOMAIN) errors.tooLong(path, MAX_DOMAIN);
  const labels = domain.split('.');
  for (const label of labels)
    for (const message of dns1123Label(label)) errors.invalid(path, domain, `validating label "${label}": ${message}`);
  if (labels.length < 2) errors.invalid(path, domain, 'should be a domain with at least two segments separated by dots');
  for (const part of signer.split('.'))
    for (const message of dns1123Subdomain(part)) errors.invalid(path, signer, `validating label "${part}": ${message}`);
  if (byteLength(name) > MAX_SIGNER_NAME) errors.tooLong(path, MAX_SIGNER_NAME);
}
