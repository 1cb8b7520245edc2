import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { formatAddress, parseAddress } from '@kubernel/sdk/api';

export function serviceWarnings(service: KubeObject, old: KubeObject | undefined): string[] {
  const spec = (service.spec ?? {}) as Decoded;
  const before = old?.spec as Decoded | undefined;
  const warnings: string[] = [];
  if (service.metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined) {
    warnings.push(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    );
  }
  if (spec.type !== 'ExternalName' && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.externalIPs?.length && !before?.externalIPs?.length) {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  const addresses: [string, string][] = [
    ...(spec.clusterIPs ?? []).map((text: string, i: number) => [`spec.clusterIPs[${i}]`, text] as [string, string]),
    ...(spec.externalIPs ?? []).map((text: string, i: number) => [`spec.externalIPs[${i}]`, text] as [string, string]),
    ...(spec.loadBalancerIP ? [['spec.loadBalancerIP', spec.loadBalancerIP] as [string, string]] : []),
  ];
  for (const [field, text] of addresses) {
    const address = parseAddress(text);
    if (address?.family === 6 && formatAddress(address) !== text) {
      warnings.push(`${field}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${formatAddress(address)}")`);
    }
  }
  if (spec.sessionAffinity && spec.sessionAffinity !== 'None' && spec.clusterIP === 'None') {
    warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  if (spec.loadBalancerIP && spec.clusterIP === 'None') warnings.push('spec.loadBalancerIP is ignored for headless services');
  if (spec.trafficDistribution === 'PreferClose' && before?.trafficDistribution !== 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
