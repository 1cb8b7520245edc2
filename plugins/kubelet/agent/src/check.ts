import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { CriRuntime } from '@kubernel/sdk';
import { isCode } from '@kubernel/sdk';
import type { Container } from '@kubernel/sdk/api';
import { messageOf } from './errors.ts';
import { grpcCheck } from './grpc-check.ts';
import type { HttpGetAction, Probe, TcpSocketAction } from './pod-fields.ts';

export interface CheckTarget {
  cri: CriRuntime;
  container: Container;
  containerId: string;
  podIP: string;
}

/** `output` is what an Unhealthy event says after "probe failed: ". */
export interface CheckResult {
  ok: boolean;
  output: string;
}

const MAX_OUTPUT = 10_240;

/** Runs one check of a probe once. Never throws. https://kubernetes.io/docs/concepts/workloads/pods/probes/ */
export async function check(probe: Probe, target: CheckTarget): Promise<CheckResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) return await execCheck(probe.exec.command ?? [], timeoutMs, target);
    if (probe.httpGet) return await httpCheck(probe.httpGet, timeoutMs, target);
    if (probe.tcpSocket) return await tcpCheck(probe.tcpSocket, timeoutMs, target);
    if (probe.grpc) return await grpcCheck(target.podIP, probe.grpc.port, probe.grpc.service ?? '', timeoutMs);
    return { ok: false, output: 'the probe has no action' };
  } catch (error) {
    return { ok: false, output: messageOf(error) };
  }
}

async function execCheck(cmd: string[], timeoutMs: number, { cri, containerId }: CheckTarget): Promise<CheckResult> {
  try {
    const { exitCode, stdout, stderr } = await cri.execSync({ containerId, cmd, timeout: timeoutMs / 1000 });
    return { ok: exitCode === 0, output: (stdout + stderr).slice(0, MAX_OUTPUT) };
  } catch (error) {
    if (isCode(error, 'ERR_CRI_TIMEOUT'))
      return { ok: false, output: `command timed out: "${cmd.join(' ')}" timed out after ${timeoutMs / 1000}s` };
    throw error;
  }
}

export function httpCheck(action: HttpGetAction, timeoutMs: number, { container, podIP }: CheckTarget): Promise<CheckResult> {
  const secure = action.scheme === 'HTTPS';
  const host = action.host || podIP;
  const port = portNumber(action.port, container);
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const url = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*', Connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? []) {
    if (value === '' && /^accept$/i.test(name)) delete headers.Accept;
    else headers[name] = value;
  }
  return new Promise((resolve) => {
    // A probe does not know the certificate its pod has, and is not meant to.
    const options = { host, port, path, headers, agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(timeoutMs) };
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      const code = response.statusCode ?? 0;
      resolve(code >= 200 && code < 400 ? { ok: true, output: '' } : { ok: false, output: `HTTP probe failed with statuscode: ${code}` });
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve({ ok: false, output: `Get "${url}": ${reasonOf(error, host, port)}` }));
    request.end();
  });
}

function tcpCheck(action: TcpSocketAction, timeoutMs: number, { container, podIP }: CheckTarget): Promise<CheckResult> {
  const host = action.host || podIP;
  const port = portNumber(action.port, container);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs);
    const end = (result: CheckResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => end({ ok: true, output: '' }));
    socket.on('timeout', () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }));
    socket.on('error', (error: NodeJS.ErrnoException) => end({ ok: false, output: reasonOf(error, host, port) }));
  });
}

/** As Go's net package puts it: people search for these words. */
function reasonOf(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  }
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    EHOSTUNREACH: 'no route to host',
    ECONNRESET: 'connection reset by peer',
  };
  const reason = words[error.code ?? ''];
  return reason ? `dial tcp ${host}:${port}: connect: ${reason}` : error.message;
}

export function portNumber(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`couldn't find port: ${port}`);
  return named.containerPort;
}
