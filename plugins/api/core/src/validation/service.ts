import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkDnsLabel,
  checkEnum,
  checkEnumPointer,
  checkPortNumberOrName,
  checkQualifiedName,
  dns1123Subdomain,
  FieldPath,
  goJson,
  legacyAddressMessages,
  legacyCidrMessages,
  PrintedValue,
  parseAddress,
  portNumber,
  validateLabels,
} from '@kubernel/sdk/api';
import { PROTOCOLS } from './containers.ts';
import { checkNonSpecialAddress } from './endpoints.ts';

/** Services (https://kubernetes.io/docs/concepts/services-networking/service/). */

const SPEC = FieldPath.of('spec');
const METADATA = FieldPath.of('metadata');
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";
const RANGES_ANNOTATION = 'service.beta.kubernetes.io/load-balancer-source-ranges';

export const isHeadless = (spec: Decoded): boolean => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None';

/** Whether traffic from outside may reach the service, so that externalTrafficPolicy means something. */
export function isExternal(spec: Decoded): boolean {
  return spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);
}

export const needsHealthCheck = (spec: Decoded): boolean => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

export function checkService(service: Decoded, errors: FieldErrors): void {
  const spec: Decoded = service.spec ?? {};
  const annotations: Record<string, string> = service.metadata.annotations ?? {};
  const hints = annotations['service.kubernetes.io/topology-aware-hints'];
  const mode = annotations['service.kubernetes.io/topology-mode'];
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    const at = METADATA.child('annotations').key('service.kubernetes.io/topology-mode');
    errors.invalid(at, mode, 'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified');
  }
  const ports: Decoded[] = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.required(SPEC.child('ports'));
  checkByType(spec, errors);
  const names = new Set<string>();
  ports.forEach((port, i) => {
    checkPort(port, ports.length > 1, names, SPEC.child('ports').index(i), errors);
  });
  validateLabels(spec.selector, SPEC.child('selector'), errors);
  checkEnum(spec.sessionAffinity, SPEC.child('sessionAffinity'), errors, ['ClientIP', 'None']);
  checkAffinityConfig(spec, SPEC.child('sessionAffinityConfig'), errors);
  checkClusterAddresses(spec, errors);
  (spec.externalIPs ?? []).forEach((address: string, i: number) => {
    const at = SPEC.child('externalIPs').index(i);
    const messages = legacyAddressMessages(address);
    errors.invalidEach(at, address, messages);
    if (messages.length === 0) checkNonSpecialAddress(address, at, errors);
  });
  checkEnum(spec.type, SPEC.child('type'), errors, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  checkPortNumbers(spec, ports, errors);
  checkSourceRanges(spec, annotations, errors);
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer') {
    errors.forbidden(SPEC.child('allocateLoadBalancerNodePorts'), ONLY_LOAD_BALANCER);
  }
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined)
    errors.required(FieldPath.of('allocateLoadBalancerNodePorts'));
  checkLoadBalancerClass(spec, undefined, errors);
  checkTrafficPolicies(spec, errors);
}

function checkByType(spec: Decoded, errors: FieldErrors): void {
  const { type } = spec;
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    errors.invalid(SPEC.child('clusterIPs').index(0), 'None', `may not be set to 'None' for ${type} services`);
  }
  if (type !== 'ExternalName') return;
  const forbidden = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) errors.forbidden(SPEC.child('clusterIPs'), forbidden);
  if (spec.ipFamilies?.length) errors.forbidden(SPEC.child('ipFamilies'), forbidden);
  if (spec.ipFamilyPolicy !== undefined) errors.forbidden(SPEC.child('ipFamilyPolicy'), forbidden);
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name) errors.invalidEach(SPEC.child('externalName'), name, dns1123Subdomain(name));
  else errors.required(SPEC.child('externalName'));
}

function checkPort(port: Decoded, needsName: boolean, names: Set<string>, path: FieldPath, errors: FieldErrors): void {
  const { name = '' } = port;
  if (needsName && !name) {
    errors.required(path.child('name'));
  } else if (name) {
    checkDnsLabel(name, path.child('name'), errors);
    if (names.has(name)) errors.duplicate(path.child('name'), name);
    names.add(name);
  }
  errors.invalidEach(path.child('port'), port.port ?? 0, portNumber(port.port ?? 0));
  checkEnum(port.protocol, path.child('protocol'), errors, PROTOCOLS);
  checkPortNumberOrName(port.targetPort, path.child('targetPort'), errors);
  if (port.appProtocol !== undefined) checkQualifiedName(port.appProtocol, path.child('appProtocol'), errors);
}

function checkPortNumbers(spec: Decoded, ports: readonly Decoded[], errors: FieldErrors): void {
  const path = SPEC.child('ports');
  if (spec.type === 'ClusterIP') {
    for (const [i, port] of ports.entries()) {
      if (port.nodePort) errors.forbidden(path.index(i).child('nodePort'), "may not be used when `type` is 'ClusterIP'");
    }
  }
  const nodePorts = new Set<string>();
  ports.forEach(({ protocol = '', nodePort }, i) => {
    if (!nodePort) return;
    if (nodePorts.has(`${protocol}/${nodePort}`)) errors.duplicate(path.index(i).child('nodePort'), nodePort);
    nodePorts.add(`${protocol}/${nodePort}`);
  });
  const numbers = new Set<string>();
  ports.forEach(({ protocol = '', port = 0 }, i) => {
    const printed = goJson({ Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 });
    if (numbers.has(`${protocol}/${port}`)) errors.duplicate(path.index(i), new PrintedValue(printed));
    numbers.add(`${protocol}/${port}`);
  });
}

function checkAffinityConfig(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'None' && config) errors.forbidden(path, 'must not be set when session affinity is None');
  if (spec.sessionAffinity !== 'ClientIP') return;
  const missing = 'when session affinity type is ClientIP';
  const seconds = config?.clientIP?.timeoutSeconds;
  if (!config) errors.required(path, missing);
  else if (!config.clientIP) errors.required(path.child('clientIP'), missing);
  else if (seconds === undefined) errors.required(path.child('clientIP', 'timeoutSeconds'), missing);
  else if (seconds <= 0 || seconds > 86400)
    errors.invalid(path.child('clientIP', 'timeoutSeconds'), seconds, 'must be greater than 0 and less than 86400');
}

function checkSourceRanges(spec: Decoded, annotations: Record<string, string>, errors: FieldErrors): void {
  const ranges: string[] = spec.loadBalancerSourceRanges ?? [];
  const annotated = annotations[RANGES_ANNOTATION];
  if (ranges.length) {
    const at = SPEC.child('LoadBalancerSourceRanges');
    if (spec.type !== 'LoadBalancer') errors.forbidden(at, ONLY_LOAD_BALANCER);
    ranges.forEach((range, i) => {
      errors.invalidEach(at.index(i), range.trim(), legacyCidrMessages(range.trim()));
    });
  } else if (annotated !== undefined) {
    const at = METADATA.child('annotations').key(RANGES_ANNOTATION);
    if (spec.type !== 'LoadBalancer') errors.forbidden(at, ONLY_LOAD_BALANCER);
    if (annotated.trim())
      for (const range of annotated.trim().split(',')) errors.invalidEach(at, range.trim(), legacyCidrMessages(range.trim()));
  }
}

function checkLoadBalancerClass(spec: Decoded, old: Decoded | undefined, errors: FieldErrors): void {
  const at = SPEC.child('loadBalancerClass');
  const { type, loadBalancerClass } = spec;
  if (old?.type === 'LoadBalancer' && type === 'LoadBalancer' && old.loadBalancerClass !== loadBalancerClass) {
    errors.invalid(at, loadBalancerClass, 'may not change once set');
  }
  if (loadBalancerClass === undefined) return;
  if (type === 'LoadBalancer') checkQualifiedName(loadBalancerClass, at, errors);
  else errors.forbidden(at, ONLY_LOAD_BALANCER);
}

function checkTrafficPolicies(spec: Decoded, errors: FieldErrors): void {
  const at = SPEC.child('externalTrafficPolicy');
  const external = spec.externalTrafficPolicy ?? '';
  if (isExternal(spec)) checkEnum(external, at, errors, ['Cluster', 'Local']);
  else if (external) errors.invalid(at, external, 'may only be set for externally-accessible services');
  const health = SPEC.child('healthCheckNodePort');
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    if (port) errors.invalid(health, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
  } else if (!port) {
    errors.required(health);
  } else {
    errors.invalidEach(health, port, portNumber(port));
  }
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined && ['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type))
    errors.required(SPEC.child('internalTrafficPolicy'));
  checkEnumPointer(internal, SPEC.child('internalTrafficPolicy'), errors, ['Cluster', 'Local']);
  checkEnumPointer(spec.trafficDistribution, SPEC.child('trafficDistribution'), errors, [
    'PreferClose',
    'PreferSameZone',
    'PreferSameNode',
  ]);
}

/** clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy together. Also run before addresses are allocated. */
export function checkClusterAddresses(spec: Decoded, errors: FieldErrors): void {
  if (spec.type === 'ExternalName') return;
  const at = SPEC.child('clusterIPs');
  const addresses: string[] = spec.clusterIPs ?? [];
  if (spec.clusterIP) {
    if (addresses.length === 0) errors.required(at);
    else if (addresses[0] !== spec.clusterIP) errors.invalid(at, addresses, 'first value must match `clusterIP`');
  } else if (addresses.length) {
    errors.invalid(at, addresses, 'must be empty when `clusterIP` is not specified');
  }
  const families: string[] = spec.ipFamilies ?? [];
  families.forEach((family, i) => {
    const step = SPEC.child('ipFamilies').index(i);
    if (family !== 'IPv4' && family !== 'IPv6') errors.notSupported(step, family, ['IPv4', 'IPv6']);
    if (families.indexOf(family) < i) errors.duplicate(step, family);
  });
  checkEnumPointer(spec.ipFamilyPolicy, SPEC.child('ipFamilyPolicy'), errors, ['PreferDualStack', 'RequireDualStack', 'SingleStack']);
  let invalid = false;
  addresses.forEach((address, i) => {
    if (i === 0 && address === 'None') {
      if (addresses.length === 1) return;
      invalid = true;
      errors.invalid(at, addresses, "'None' must be the first and only value");
      return;
    }
    const messages = legacyAddressMessages(address);
    errors.invalidEach(at.index(i), address, messages);
    invalid ||= messages.length > 0;
  });
  if (addresses.length > 2) errors.invalid(at, addresses, 'may only hold up to 2 values');
  if (invalid) return;
  const actual = addresses.map((address) => parseAddress(address)?.family);
  if (addresses.length > 1 && new Set(actual).size < 2) errors.invalid(at, addresses, 'may specify no more than one IP for each IP family');
  if (isHeadless(spec)) return;
  addresses.slice(0, families.length).forEach((address, i) => {
    const wanted = families[i];
    if (wanted === 'IPv4' && actual[i] === 6)
      errors.invalid(at.index(i), address, `expected an IPv4 value as indicated by \`ipFamilies[${i}]\``);
    if (wanted === 'IPv6' && actual[i] !== 6)
      errors.invalid(at.index(i), address, `expected an IPv6 value as indicated by \`ipFamilies[${i}]\``);
  });
}

export function checkServiceUpdate(service: Decoded, old: Decoded, errors: FieldErrors): void {
  const spec: Decoded = service.spec ?? {};
  const before: Decoded = old.spec ?? {};
  checkAddressChange(spec, before, errors);
  checkFamilyChange(spec, before, errors);
  checkLoadBalancerClass(spec, before, errors);
  if (needsHealthCheck(before) && needsHealthCheck(spec) && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    errors.forbidden(SPEC.child('healthCheckNodePort'), 'field is immutable');
  }
}

const ONCE = 'may not change once set';

function checkAddressChange(spec: Decoded, before: Decoded, errors: FieldErrors): void {
  if (spec.type === 'ExternalName' || before.type === 'ExternalName') return;
  if (isHeadless(spec) && isHeadless(before)) return;
  const now: string[] = spec.clusterIPs ?? [];
  const then: string[] = before.clusterIPs ?? [];
  const at = SPEC.child('clusterIPs');
  if (now.length === then.length) {
    for (const [i, address] of then.entries()) if (address !== now[i]) errors.invalid(at.index(i), now, ONCE);
    return;
  }
  if (now.length === 0) errors.invalid(at.index(0), undefined, 'primary clusterIP can not be unset');
  if (then.length && now.length && now[0] !== then[0]) errors.invalid(at.index(0), now, ONCE);
  if (then.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.invalid(
      SPEC.child('ipFamilyPolicy'),
      spec.ipFamilyPolicy,
      "must be set to 'SingleStack' when releasing the secondary clusterIP",
    );
  }
}

function checkFamilyChange(spec: Decoded, before: Decoded, errors: FieldErrors): void {
  if (spec.type === 'ExternalName' || before.type === 'ExternalName' || isHeadless(spec) || isHeadless(before)) return;
  const now: string[] = spec.ipFamilies ?? [];
  const then: string[] = before.ipFamilies ?? [];
  const at = SPEC.child('ipFamilies').index(0);
  if (now.length === then.length) {
    for (const [i, family] of then.entries()) if (family !== now[i]) errors.invalid(at, now, ONCE);
    return;
  }
  if (then.length > now.length && !spec.clusterIPs?.length) errors.invalid(at, spec.ipFamilies, 'primary ipFamily can not be unset');
  if (then.length && now.length && now[0] !== then[0]) errors.invalid(at, spec.clusterIPs, ONCE);
  if (then.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.invalid(SPEC.child('ipFamilyPolicy'), spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily");
  }
}

export function checkServiceStatus(service: Decoded, errors: FieldErrors): void {
  const at = FieldPath.of('status', 'loadBalancer', 'ingress');
  const ingress: Decoded[] = service.status?.loadBalancer?.ingress ?? [];
  if (service.spec?.type !== 'LoadBalancer' && ingress.length) {
    errors.forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'");
    return;
  }
  checkIngressPoints(ingress, at, errors);
}

/** Points where a load balancer takes traffic in: of services here, of ingresses by {@link validators}. */
export function checkIngressPoints(ingress: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  ingress.forEach(({ ip = '', ipMode, hostname = '' }, i) => {
    const at = path.index(i);
    if (ip) errors.invalidEach(at.child('ip'), ip, legacyAddressMessages(ip));
    if (ipMode === undefined) {
      if (ip) errors.required(at.child('ipMode'), 'must be specified when `ip` is set');
    } else if (!ip) {
      errors.forbidden(at.child('ipMode'), 'may not be specified when `ip` is not set');
    } else {
      checkEnumPointer(ipMode, at.child('ipMode'), errors, ['Proxy', 'VIP']);
    }
    if (!hostname) return;
    errors.invalidEach(at.child('hostname'), hostname, dns1123Subdomain(hostname));
    if (parseAddress(hostname)) errors.invalid(at.child('hostname'), hostname, 'must be a DNS name, not an IP address');
  });
}
