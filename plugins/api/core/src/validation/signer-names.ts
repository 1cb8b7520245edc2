import type { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { byteLength, dns1123Label, dns1123Subdomain, nameIsDNSSubdomain, tooManyCharacters } from '@kubernel/sdk/api';

/** `example.com/signer`: whom certificates come from (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#signers). */
export function checkSignerName(name: string, path: FieldPath, errors: FieldErrors): void {
  if (name === '') {
    errors.required(path);
    return;
  }
  const segments = name.split('/');
  const [domain = '', signer = ''] = segments;
  if (segments.length !== 2) {
    errors.invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
    return;
  }
  errors.invalidEach(path, domain, dns1123Subdomain(domain));
  if (domain.split('.').length < 2) errors.invalid(path, domain, 'should be a domain with at least two segments separated by dots');
  for (const label of signer.split('.')) errors.invalidEach(path, label, dns1123Label(label));
  const max = 253 + 1 + 63 + 1 + 253;
  if (byteLength(name) > max) errors.tooLong(path, max);
}

/** A ClusterTrustBundle that belongs to a signer carries its name: `example.com:signer:name`. */
export function clusterTrustBundleNameMessages(name: string): string[] {
  const parts = name.split(':');
  if (parts.length < 3) return nameIsDNSSubdomain(name, false);
  const base = parts.slice(2).join(':');
  return byteLength(name) > 253 ? [tooManyCharacters(253)] : nameIsDNSSubdomain(base, false);
}
