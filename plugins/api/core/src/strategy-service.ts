import type { Strategy, StrategyContext } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { Decoded, KubeObject } from '@kubernel/sdk/api';
import { FieldErrors, FieldPath, keepSpec, keepStatus, kindStrategy, nameIsDNSLabel, parseAddress, semanticEqual } from '@kubernel/sdk/api';
import type { Family } from './strategy-service-addresses.ts';
import { keyOf, nodePortsOf, ServiceAddresses } from './strategy-service-addresses.ts';
import { serviceWarnings } from './strategy-service-warnings.ts';
import {
  checkClusterAddresses,
  checkService,
  checkServiceStatus,
  checkServiceUpdate,
  isHeadless,
  needsHealthCheck,
} from './validation/service.ts';

/** Services get their addresses and node ports before they are checked, and give back what a change frees. */

const SPEC = FieldPath.of('spec');
const specOf = (service: KubeObject): Decoded => (service.spec ??= {}) as Decoded;

export const serviceStrategy: Strategy = {
  ...kindStrategy({
    namespaced: true,
    name: nameIsDNSLabel,
    validate: (service, errors) => checkService(service, errors),
    validateUpdate: (service, old, errors) => checkServiceUpdate(service, old, errors),
    onUpdate: ['update', 'validateUpdate', 'meta', 'validate'],
  }),
  createOnUpdate: true,
  prepareForCreate(service, context) {
    const spec = specOf(service);
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    allocate(service, undefined, context);
    service.status = { loadBalancer: {} };
  },
  prepareForUpdate(service, old, context) {
    const spec = specOf(service);
    const before = specOf(old);
    alignAddresses(spec, before);
    patchAllocated(spec, before);
    allocate(service, old, context);
    keepStatus(service, old);
    dropWhatTheTypeLacks(spec, before);
  },
  release(service, context) {
    ServiceAddresses.of(context.reader).release(keyOf(service));
  },
  warnings: (service, old) => serviceWarnings(service, old),
  resetFields: ['status'],
};

export const serviceStatusStrategy: Strategy = {
  ...kindStrategy({
    namespaced: true,
    validateUpdate: (service, _old, errors) => checkServiceStatus(service, errors),
    onUpdate: ['update', 'validateUpdate'],
  }),
  prepareForUpdate: keepSpec,
  resetFields: ['spec'],
};

/** clusterIP and clusterIPs[0] say the same; old clients know only the first. */
function alignAddresses(spec: Decoded, before: Decoded): void {
  const sameList = semanticEqual(spec.clusterIPs, before.clusterIPs);
  const address = spec.clusterIP ?? '';
  const oldAddress = before.clusterIP ?? '';
  if (address !== oldAddress && sameList) {
    spec.clusterIPs = address ? [address] : undefined;
    if (!address) delete spec.clusterIPs;
  } else if (address === oldAddress && before.clusterIPs?.length && !spec.clusterIPs?.length) {
    delete spec.clusterIP;
  }
}

const needsAddress = ({ type }: Decoded): boolean => type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer';
const needsNodePort = ({ type, allocateLoadBalancerNodePorts }: Decoded): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);

/** What a client that sends a whole object has left out is what it was. */
function patchAllocated(spec: Decoded, before: Decoded): void {
  if (needsAddress(before) && needsAddress(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === before.clusterIP && before.clusterIPs) spec.clusterIPs = [...before.clusterIPs];
  }
  if (needsNodePort(before) && needsNodePort(spec)) {
    const now = nodePortsOf({ ports: spec.ports });
    const used = new Set([...nodePortsOf({ ports: before.ports })].filter((port) => now.has(port)));
    for (const port of spec.ports ?? []) {
      const twin = (before.ports ?? []).findLast(({ name = '' }: Decoded) => name === (port.name ?? ''));
      if (!port.nodePort && twin?.nodePort && !used.has(twin.nodePort)) {
        port.nodePort = twin.nodePort;
        used.add(twin.nodePort);
      }
    }
  }
  if (needsHealthCheck(before) && needsHealthCheck(spec) && !spec.healthCheckNodePort)
    spec.healthCheckNodePort = before.healthCheckNodePort;
}

/** A change of type takes away the fields that went with the old one, unless the client changed them too. */
function dropWhatTheTypeLacks(spec: Decoded, before: Decoded): void {
  const drop = (...fields: string[]): void => {
    for (const field of fields) if (semanticEqual(spec[field], before[field])) delete spec[field];
  };
  if (needsAddress(before) && !needsAddress(spec)) {
    if (semanticEqual(spec.clusterIP, before.clusterIP) && semanticEqual(spec.clusterIPs, before.clusterIPs))
      drop('clusterIP', 'clusterIPs');
    drop('ipFamilies', 'ipFamilyPolicy');
  }
  const portsOf = (value: Decoded): unknown => (value.ports ?? []).map(({ nodePort = 0 }: Decoded) => nodePort);
  const keepsNodePorts = before.type === 'LoadBalancer' && spec.type === 'LoadBalancer';
  if (needsNodePort(before) && !needsNodePort(spec) && !keepsNodePorts && semanticEqual(portsOf(spec), portsOf(before))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(before) && !needsHealthCheck(spec)) drop('healthCheckNodePort');
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') drop('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  const external = ({ type, externalIPs }: Decoded): boolean =>
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);
  if (external(before) && !external(spec)) drop('externalTrafficPolicy');
  if (before.type !== 'ExternalName' && spec.type === 'ExternalName') drop('internalTrafficPolicy');
}

/** Refuses the request at once: later checks would only complain about what could not be filled in. */
function refuse(service: KubeObject, errors: FieldErrors): void {
  if (!errors.empty) throw errors.toStatusError('Service', '', service.metadata.name ?? '');
}

function allocate(service: KubeObject, old: KubeObject | undefined, context: StrategyContext): void {
  const pool = ServiceAddresses.of(context.reader);
  const spec = specOf(service);
  const before = old ? specOf(old) : undefined;
  try {
    if (!isSettledDualStack(spec, before)) {
      settleFamilies(service, spec, before, pool);
      takeAddresses(service, spec, before, pool, context.dryRun);
    }
    takePorts(service, spec, before, pool, context.dryRun);
  } catch (error) {
    pool.release(keyOf(service));
    throw error;
  }
}

/** A PreferDualStack service is neither widened nor narrowed because the cluster changed. */
function isSettledDualStack(spec: Decoded, before: Decoded | undefined): boolean {
  if (!before || spec.type === 'ExternalName' || spec.type !== before.type) return false;
  if (spec.ipFamilyPolicy !== 'PreferDualStack' || before.ipFamilyPolicy !== 'PreferDualStack') return false;
  return semanticEqual(spec.clusterIPs, before.clusterIPs) && semanticEqual(spec.ipFamilies, before.ipFamilies);
}

function settleFamilies(service: KubeObject, spec: Decoded, before: Decoded | undefined, pool: ServiceAddresses): void {
  if (spec.type === 'ExternalName') return;
  const selectorless = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack');
  const errors = new FieldErrors();
  checkClusterAddresses(spec, errors);
  refuse(service, errors);
  const single = spec.ipFamilyPolicy === 'SingleStack';
  if (before) narrow(spec, before, single, errors);
  const at = SPEC.child('ipFamilyPolicy');
  const mustBeDual = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  if (single && spec.clusterIPs?.length === 2) errors.invalid(at, spec.ipFamilyPolicy, `${mustBeDual} cluster IPs are specified`);
  if (single && spec.ipFamilies?.length === 2) errors.invalid(at, spec.ipFamilyPolicy, `${mustBeDual} IP families are specified`);
  inferFamilies(spec, pool, errors);
  refuse(service, errors);
  if (selectorless) {
    spec.ipFamilies = spec.ipFamilies?.length ? spec.ipFamilies : [pool.defaultFamily];
    if (spec.ipFamilies.length < 2 && !single) spec.ipFamilies.push(otherFamily(spec.ipFamilies[0]));
    return;
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && pool.ranges.size < 2) {
    errors.invalid(at, spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services');
  }
  (spec.ipFamilies ?? []).forEach((family: Family, i: number) => {
    if (!pool.ranges.has(family)) errors.invalid(SPEC.child('ipFamilies').index(i), family, 'not configured on this cluster');
  });
  refuse(service, errors);
  spec.ipFamilies = spec.ipFamilies?.length ? spec.ipFamilies : [pool.defaultFamily];
  if (!single && spec.ipFamilies.length === 1 && pool.ranges.size === 2) spec.ipFamilies.push(otherFamily(spec.ipFamilies[0]));
}

const otherFamily = (family: Family): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/** SingleStack gives the second address back; any other policy must say so first. */
function narrow(spec: Decoded, before: Decoded, single: boolean, errors: FieldErrors): void {
  for (const [field, what] of [
    ['clusterIPs', 'secondary cluster IP'],
    ['ipFamilies', 'secondary IP family'],
  ] as const) {
    const now: string[] = spec[field] ?? [];
    const then: string[] = before[field] ?? [];
    if (single) {
      if (now.length > 1 && semanticEqual(now, then)) spec[field] = now.slice(0, 1);
    } else if (now.length === 1 && then.length === 2 && now[0] === then[0]) {
      errors.invalid(SPEC.child('ipFamilyPolicy'), spec.ipFamilyPolicy, `must be 'SingleStack' to release the ${what}`);
    }
  }
}

function inferFamilies(spec: Decoded, pool: ServiceAddresses, errors: FieldErrors): void {
  const addresses: string[] = spec.clusterIPs ?? [];
  addresses.forEach((address, i) => {
    if (address === 'None' || i < (spec.ipFamilies?.length ?? 0)) return;
    const family: Family = parseAddress(address)?.family === 6 ? 'IPv6' : 'IPv4';
    if (pool.ranges.has(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else errors.invalid(SPEC.child('clusterIPs').index(i), addresses, `${family} is not configured on this cluster`);
  });
}

function takeAddresses(service: KubeObject, spec: Decoded, before: Decoded | undefined, pool: ServiceAddresses, dryRun: boolean): void {
  if (spec.type === 'ExternalName' || isHeadless(spec)) return;
  const held = before && before.type !== 'ExternalName' ? (before.clusterIPs ?? []) : [];
  if (held[0] === 'None') return;
  const wanted: string[] = spec.clusterIPs ?? [];
  const addresses: string[] = [];
  const families: Family[] = spec.ipFamilies ?? [];
  for (const [i, family] of families.entries()) {
    const kept = held[i];
    if (kept !== undefined) {
      addresses.push(wanted[i] ?? kept);
      continue;
    }
    const taken = pool.takeAddress(keyOf(service), family, wanted[i] ?? '', dryRun);
    if ('address' in taken) {
      addresses.push(taken.address);
      continue;
    }
    if (!wanted[i])
      throw new StatusError(500, 'InternalError', `Internal error occurred: failed to allocate a serviceIP: ${taken.problem}`);
    const errors = new FieldErrors();
    errors.invalid(SPEC.child('clusterIPs'), wanted, `failed to allocate IP ${wanted[i]}: ${taken.problem}`);
    refuse(service, errors);
  }
  if (addresses.length === 0) return;
  spec.clusterIPs = addresses;
  if (!spec.clusterIP) spec.clusterIP = addresses[0];
}

function takePorts(service: KubeObject, spec: Decoded, before: Decoded | undefined, pool: ServiceAddresses, dryRun: boolean): void {
  const ours = new Set<number>();
  const held = before ? nodePortsOf(before) : new Set<number>();
  const take = (wanted: number, at: FieldPath): number => {
    const taken = pool.takePort(keyOf(service), wanted, dryRun, ours);
    if ('problem' in taken) {
      if (!wanted) throw new StatusError(500, 'InternalError', `Internal error occurred: failed to allocate a nodePort: ${taken.problem}`);
      const errors = new FieldErrors();
      errors.invalid(at, wanted, taken.problem);
      refuse(service, errors);
      return wanted;
    }
    ours.add(taken.port);
    return taken.port;
  };
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    const ports: Decoded[] = spec.ports ?? [];
    /** One number for all protocols of a port. */
    const byPort = new Map<number, number>();
    ports.forEach((port, i) => {
      const at = SPEC.child('ports').index(i).child('nodePort');
      if (!port.nodePort && !needsNodePort(spec)) return;
      if (port.nodePort && (held.has(port.nodePort) || (before && ours.has(port.nodePort)))) return;
      const shared = byPort.get(port.port ?? 0);
      if (shared && !before) {
        if (!port.nodePort) port.nodePort = shared;
        else if (port.nodePort !== shared) take(port.nodePort, at);
        return;
      }
      const requested = before ? (port.nodePort ?? 0) : (ports.find((other) => other.port === port.port && other.nodePort)?.nodePort ?? 0);
      port.nodePort = take(requested, at);
      byPort.set(port.port ?? 0, port.nodePort);
    });
  }
  if (!needsHealthCheck(spec) || (before && needsHealthCheck(before))) return;
  const wanted = spec.healthCheckNodePort ?? 0;
  const taken = pool.takePort(keyOf(service), wanted, dryRun, ours);
  if ('port' in taken) spec.healthCheckNodePort = taken.port;
  else
    throw new StatusError(
      500,
      'InternalError',
      `Internal error occurred: failed to allocate requested HealthCheck NodePort ${wanted}: ${taken.problem}`,
    );
}
