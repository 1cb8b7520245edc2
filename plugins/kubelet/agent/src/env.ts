import type { ConfigMap, Container, Pod, Secret, Service } from '@kubernel/sdk/api';
import { downwardField, downwardResource } from './downward.ts';
import { ContainerWaiting } from './errors.ts';
import { type EnvFrom, envSource } from './pod-fields.ts';

export interface EnvInputs {
  pod: Pod;
  podIPs: readonly string[];
  hostIPs: readonly string[];
  allocatable: Readonly<Record<string, string>>;
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  services: readonly Service[];
}

/**
 * A container's environment: services, then envFrom, then env, where later ones win; `$(NAME)` refers to what stands before.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export async function environment(container: Container, inputs: EnvInputs): Promise<Map<string, string>> {
  const { pod } = inputs;
  const namespace = pod.metadata.namespace ?? '';
  const result = new Map<string, string>();

  for (const source of (container.envFrom ?? []) as EnvFrom[]) {
    for (const [key, value] of await fromWhole(source, namespace, inputs)) result.set(`${source.prefix ?? ''}${key}`, value);
  }
  const services = serviceEnvironment(pod, inputs.services);
  const lookup = (name: string): string | undefined => result.get(name) ?? services.get(name);
  for (const env of container.env ?? []) {
    const source = envSource(env);
    if (!source) {
      result.set(env.name, expand(env.value ?? '', lookup));
    } else if (source.fieldRef) {
      result.set(env.name, downwardField(source.fieldRef.fieldPath, inputs) ?? '');
    } else if (source.resourceFieldRef) {
      result.set(env.name, downwardResource(source.resourceFieldRef, container, inputs));
    } else {
      const value = await fromKey(env.name, source, namespace, inputs);
      if (value !== undefined) result.set(env.name, value);
    }
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

async function fromWhole(source: EnvFrom, namespace: string, inputs: EnvInputs): Promise<[string, string][]> {
  if (source.configMapRef) {
    const { name = '', optional } = source.configMapRef;
    const found = await inputs.configMap(namespace, name);
    if (!found && !optional) throw configError(`configmap "${name}" not found`);
    return Object.entries(found?.data ?? {});
  }
  if (source.secretRef) {
    const { name = '', optional } = source.secretRef;
    const found = await inputs.secret(namespace, name);
    if (!found && !optional) throw configError(`secret "${name}" not found`);
    return Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]);
  }
  return [];
}

async function fromKey(
  _variable: string,
  source: NonNullable<ReturnType<typeof envSource>>,
  namespace: string,
  inputs: EnvInputs,
): Promise<string | undefined> {
  const ref = source.configMapKeyRef ?? source.secretKeyRef;
  if (!ref) return undefined;
  const { name = '', key, optional } = ref;
  const kind = source.configMapKeyRef ? 'ConfigMap' : 'Secret';
  let value: string | undefined;
  let found: ConfigMap | Secret | undefined;
  if (source.configMapKeyRef) {
    found = await inputs.configMap(namespace, name);
    value = found?.data?.[key];
  } else {
    found = await inputs.secret(namespace, name);
    const data = found?.data?.[key];
    value = data === undefined ? undefined : decode(data);
  }
  if (value !== undefined || optional) return value;
  if (!found) throw configError(`${kind.toLowerCase()} "${name}" not found`);
  throw configError(`couldn't find key ${key} in ${kind} ${namespace}/${name}`);
}

function configError(message: string): ContainerWaiting {
  return new ContainerWaiting('CreateContainerConfigError', message);
}

export function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

/** `$(NAME)` becomes its value when it has one; `$$` is a dollar sign that starts nothing. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => (name === undefined ? '$' : (lookup(name) ?? whole)));
}

/**
 * Of the pod's own namespace, when it wants service links, and of `kubernetes` in `default` in any case.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function serviceEnvironment(pod: Pod, services: readonly Service[]): Map<string, string> {
  const result = new Map<string, string>();
  const links = pod.spec.enableServiceLinks !== false;
  for (const service of services) {
    const { name = '', namespace } = service.metadata;
    const master = namespace === 'default' && name === 'kubernetes';
    if (!master && !(links && namespace === pod.metadata.namespace)) continue;
    const { clusterIP, ports = [] } = service.spec;
    if (!clusterIP || clusterIP === 'None' || !ports.length) continue;
    const prefix = name.toUpperCase().replaceAll('-', '_');
    const host = clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP;
    result.set(`${prefix}_SERVICE_HOST`, clusterIP);
    result.set(`${prefix}_SERVICE_PORT`, String(ports[0]!.port));
    for (const port of ports) {
      if (port.name) result.set(`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
    }
    for (const [index, { protocol = 'TCP', port }] of ports.entries()) {
      const url = `${protocol.toLowerCase()}://${host}:${port}`;
      const portPrefix = `${prefix}_PORT_${port}_${protocol}`;
      if (index === 0) result.set(`${prefix}_PORT`, url);
      result.set(portPrefix, url);
      result.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
      result.set(`${portPrefix}_PORT`, String(port));
      result.set(`${portPrefix}_ADDR`, clusterIP);
    }
  }
  return result;
}
