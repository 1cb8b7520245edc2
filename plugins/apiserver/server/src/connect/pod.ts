import { FieldErrors, FieldPath, type KubeObject } from '@kubernel/sdk/api';
import type { Api } from '../api.ts';
import type { Call } from '../call.ts';
import type { Query } from '../query.ts';
import { badRequest } from '../status.ts';
import { bracketed, kubeletUrl } from './node.ts';
import { type ConnectTarget, proxyPath, splitName } from './target.ts';

interface NamedContainer {
  name: string;
  ports?: { containerPort: number }[];
}
interface PodSpec {
  nodeName?: string;
  containers?: NamedContainer[];
  initContainers?: NamedContainer[];
  ephemeralContainers?: NamedContainer[];
}

function specOf(pod: KubeObject): PodSpec {
  return (pod.spec ?? {}) as PodSpec;
}

/** Undefined: the pod is on no node yet. */
export function logTarget(api: Api, call: Call, pod: KubeObject): ConnectTarget | undefined {
  const { name, namespace } = pod.metadata;
  const { query } = call;
  const parameters = logParameters(query, name ?? '');
  const container = containerOf(pod, query.get('container') ?? '', false);
  const { nodeName } = specOf(pod);
  if (!nodeName) return undefined;
  const url = `${kubeletUrl(api, nodeName)}/containerLogs/${namespace}/${name}/${container}`;
  const search = parameters.toString();
  return { url: search ? `${url}?${search}` : url, node: true, stripAuth: true };
}

/** Checks PodLogOptions and turns them into the kubelet's parameters. */
function logParameters(query: Query, name: string): URLSearchParams {
  const errors = new FieldErrors();
  const parameters = new URLSearchParams();
  for (const flag of ['follow', 'previous', 'timestamps']) if (query.flag(flag)) parameters.set(flag, 'true');
  const [tailLines, limitBytes, sinceSeconds] = ['tailLines', 'limitBytes', 'sinceSeconds'].map((field) => number(query, field));
  const sinceTime = query.get('sinceTime');
  const stream = query.get('stream');
  if (tailLines !== undefined && tailLines < 0) errors.invalid(FieldPath.of('tailLines'), tailLines, 'must be greater than or equal to 0');
  if (limitBytes !== undefined && limitBytes < 1) errors.invalid(FieldPath.of('limitBytes'), limitBytes, 'must be greater than 0');
  if (sinceSeconds !== undefined && sinceTime)
    errors.forbidden(FieldPath.of('[]'), 'at most one of `sinceTime` or `sinceSeconds` may be specified');
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.invalid(FieldPath.of('sinceSeconds'), sinceSeconds, 'must be greater than 0');
  if (stream && !['All', 'Stdout', 'Stderr'].includes(stream))
    errors.notSupported(FieldPath.of('stream'), stream, ['All', 'Stderr', 'Stdout']);
  else if (stream && stream !== 'All' && tailLines !== undefined)
    errors.forbidden(FieldPath.of('[]'), '`tailLines` and specific `stream` are mutually exclusive for now');
  if (!errors.empty) throw errors.toStatusError('PodLogOptions', '', name);
  if (tailLines !== undefined) parameters.set('tailLines', String(tailLines));
  if (limitBytes !== undefined) parameters.set('limitBytes', String(limitBytes));
  if (sinceSeconds !== undefined) parameters.set('sinceSeconds', String(sinceSeconds));
  if (sinceTime) parameters.set('sinceTime', sinceTime);
  if (stream) parameters.set('stream', stream);
  return parameters;
}

function number(query: Query, field: string): number | undefined {
  const text = query.get(field);
  if (text === undefined || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** The named container, or the only one there is. */
function containerOf(pod: KubeObject, asked: string, annotated: boolean): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = specOf(pod);
  const { name } = pod.metadata;
  if (asked !== '') {
    if (![...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === asked)) {
      throw badRequest(`container ${asked} is not valid for pod ${name}`);
    }
    return asked;
  }
  const only = containers[0]?.name;
  const count = containers.length + initContainers.length + ephemeralContainers.length;
  if (only && (count === 1 || (annotated && containers.length === 1))) return only;
  const preferred = annotated ? pod.metadata.annotations?.[DEFAULT_CONTAINER] : undefined;
  if (preferred) return preferred;
  const list = (group: NamedContainer[]): string => `[${group.map((container) => container.name).join(' ')}]`;
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: ${list([...initContainers, ...containers, ...ephemeralContainers])}`,
  );
}

export function execTarget(api: Api, call: Call, pod: KubeObject, kind: 'exec' | 'attach'): ConnectTarget {
  const { query } = call;
  const { name, namespace } = pod.metadata;
  const container = containerOf(pod, query.get('container') ?? '', true);
  const parameters = new URLSearchParams();
  for (const [flag, wire] of [
    ['stdin', 'input'],
    ['stdout', 'output'],
    ['stderr', 'error'],
    ['tty', 'tty'],
  ] as const)
    if (query.flag(flag)) parameters.set(wire, '1');
  for (const part of kind === 'exec' ? query.all('command') : []) parameters.append('command', part);
  const base = `${kubeletUrl(api, assigned(pod))}/${kind}/${namespace}/${name}/${container}`;
  return { url: `${base}?${parameters}`, node: true, stripAuth: true };
}

export function portForwardTarget(api: Api, call: Call, pod: KubeObject): ConnectTarget {
  const { name, namespace } = pod.metadata;
  const ports = call.query.all('ports').flatMap((text) => text.split(','));
  const base = `${kubeletUrl(api, assigned(pod))}/portForward/${namespace}/${name}`;
  return { url: ports.length > 0 ? `${base}?${new URLSearchParams({ port: ports.join(',') })}` : base, node: true, stripAuth: true };
}

function assigned(pod: KubeObject): string {
  const { nodeName } = specOf(pod);
  if (!nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return nodeName;
}

/** `pods/[scheme:]NAME[:port]/proxy`: the pod's address, at the port of its first container that has one. */
export function podProxyTarget(pod: KubeObject, call: Call): ConnectTarget {
  const { scheme, port } = splitName(call.info.name);
  const { podIP } = (pod.status ?? {}) as { podIP?: string };
  if (!podIP) throw badRequest('address not allowed');
  const first = specOf(pod).containers?.flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const at = port || (first ? String(first) : '');
  return { url: `${scheme || 'http'}://${bracketed(podIP)}${at ? `:${at}` : ''}${proxyPath(call)}`, node: false, stripAuth: true };
}
