import { byteLength, nameIsDNSSubdomain, tooManyCharacters } from '@kubernel/sdk/api';

/** A ClusterTrustBundle that belongs to a signer carries its name: `example.com:signer:name`. */
export function clusterTrustBundleNameMessages(name: string): string[] {
  const parts = name.split(':');
  if (parts.length < 3) return nameIsDNSSubdomain(name, false);
  const base = parts.slice(2).join(':');
  return byteLength(name) > 253 ? [tooManyCharacters(253)] : nameIsDNSSubdomain(base, false);
}
