import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StatusError } from '@kubernel/sdk';
import type { Agent } from '../agent.ts';
import { messageOf, portInUse } from '../errors.ts';
import { historyOf } from '../pod-status.ts';
import type { KnownContainer } from '../runtime-cache.ts';
import type { Access } from './access.ts';
import type { ServingCertificate } from './certificate.ts';
import { containerLog, type LogOptions } from './container-log.ts';
import { resourceMetrics, statsSummary } from './stats.ts';
import { streamCommand, streamPorts } from './streams.ts';

/**
 * The kubelet API (port 10250): what the API server calls for logs, exec, attach and port-forward, and what collectors read.
 * One listener for all nodes of the agent: a pod is found by its namespace and name.
 */
export class KubeletApi {
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #access: Access;
  readonly #sockets = new Set<Duplex>();

  constructor(agent: Agent, access: Access, certificate: ServingCertificate) {
    this.#agent = agent;
    this.#access = access;
    this.#server = createServer({
      cert: certificate.cert,
      key: certificate.key,
      ca: certificate.ca,
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#server.on('request', (request, response) => {
      this.#request(request, response).catch((error: unknown) => refuse(response, error));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error));
    });
    this.#server.on('secureConnection', (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    // A followed log says nothing for hours.
    this.#server.requestTimeout = 0;
    this.#server.timeout = 0;
  }

  /** Resolves to the port. 0: any free one. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? portInUse(port) : error));
      this.#server.listen(port, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [, verb = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    if (url.pathname === '/healthz') return text(response, 'ok');
    await this.#authorize(request, url.pathname);
    const { context } = this.#agent;
    const nodeName = this.#nodeName();
    switch (verb) {
      case 'containerLogs':
        return this.#logs(rest, url.searchParams, request, response);
      case 'pods':
        return json(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: this.#agent.pods() });
      case 'stats':
        return json(response, statsSummary(nodeName, this.#agent.pods(), await context.cri.listContainerStats()));
      case 'metrics':
        if (rest[0] !== 'resource') break;
        response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
        response.end(resourceMetrics(this.#agent.pods(), await context.cri.listContainerStats()));
        return;
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new StatusError(400, 'BadRequest', 'Upgrade request required');
    }
    throw new StatusError(404, 'NotFound', `the kubelet has no ${url.pathname}`);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const query = url.searchParams;
    const [, verb = '', namespace = '', name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    await this.#authorize(request, url.pathname);
    const { cri } = this.#agent.context;
    const worker = this.#agent.find(namespace, name);
    if (!worker) throw new StatusError(404, 'NotFound', 'pod does not exist');
    if (verb === 'portForward') {
      const podSandboxId = worker.runtime.sandboxes[0]?.id ?? '';
      const port = (query.get('port') ?? '').split(',').filter(Boolean).map(Number);
      return streamPorts(request, socket, head, (await cri.portForward({ podSandboxId, port })).url);
    }
    // `…/pod/container` or `…/pod/uid/container`.
    const container = rest.at(-1) ?? '';
    const running = historyOf(worker.runtime, container)[0];
    if (running?.state !== 'CONTAINER_RUNNING') throw new StatusError(404, 'NotFound', `container not found ("${container}")`);
    const flag = (key: string): boolean => query.get(key) === '1' || query.get(key) === 'true';
    const flags = {
      stdin: flag('input') || flag('stdin'),
      stdout: flag('output') || flag('stdout'),
      stderr: flag('error') || flag('stderr'),
      tty: flag('tty'),
    };
    const stream = { containerId: running.id, ...flags, stderr: flags.stderr && !flags.tty };
    if (verb === 'exec')
      return streamCommand(request, socket, head, (await cri.exec({ ...stream, cmd: query.getAll('command') })).url, flags);
    if (verb === 'attach') {
      const spec = [
        ...worker.pod.spec.containers,
        ...(worker.pod.spec.initContainers ?? []),
        ...(worker.pod.spec.ephemeralContainers ?? []),
      ].find((candidate) => candidate.name === container);
      const tty = spec?.tty ?? false;
      return streamCommand(request, socket, head, (await cri.attach({ ...stream, tty, stderr: flags.stderr && !tty })).url, {
        ...flags,
        tty,
      });
    }
    throw new StatusError(404, 'NotFound', `the kubelet has no ${url.pathname}`);
  }

  async #logs(
    [namespace = '', name = '', container = '']: string[],
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const worker = this.#agent.find(namespace, name);
    if (!worker) throw new StatusError(404, 'NotFound', `pod "${name}" does not exist`);
    const [current, before] = historyOf(worker.runtime, container);
    const previous = query.get('previous') === 'true';
    // A container that was created and not started yet has no log of its own: the one before it speaks.
    const chosen = previous ? before : current;
    if (!chosen) {
      if (previous) throw new StatusError(400, 'BadRequest', `previous terminated container "${container}" in pod "${name}" not found`);
      const reason = worker.waiting.get(container)?.reason ?? 'ContainerCreating';
      throw new StatusError(400, 'BadRequest', `container "${container}" in pod "${name}" is waiting to start: ${reason}`);
    }
    const aborted = new AbortController();
    response.on('close', () => aborted.abort());
    request.on('error', () => aborted.abort());
    const hasEnded = (): boolean => (worker.runtime.containers.get(chosen.id) as KnownContainer | undefined)?.state !== 'CONTAINER_RUNNING';
    response.setHeader('Content-Type', 'text/plain');
    response.flushHeaders();
    try {
      await pipeline(containerLog(chosen.logPath, logOptions(query), hasEnded, aborted.signal), response);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') response.end(`unable to retrieve container logs for ${chosen.id}\n`);
      else if (!aborted.signal.aborted) throw error;
    }
  }

  async #authorize(request: IncomingMessage, path: string): Promise<void> {
    if (!this.#agent.context) throw new StatusError(503, 'ServiceUnavailable', 'the kubelet is starting');
    const code = await this.#access.check(request, path, this.#nodeName());
    if (code === 401) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    if (code === 403) throw new StatusError(403, 'Forbidden', 'Forbidden');
  }

  #nodeName(): string {
    return this.#agent.nodes.keys().next().value ?? '';
  }
}

function logOptions(query: URLSearchParams): LogOptions {
  const number = (key: string): number | undefined => (query.has(key) ? Number(query.get(key)) : undefined);
  const seconds = number('sinceSeconds');
  const time = query.get('sinceTime');
  const stream = query.get('stream');
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    since: seconds === undefined ? (time ? Date.parse(time) : undefined) : Date.now() - seconds * 1000,
    stream: stream === 'Stdout' ? 'stdout' : stream === 'Stderr' ? 'stderr' : undefined,
  };
}

function text(response: ServerResponse, body: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(body);
}

function json(response: ServerResponse, body: unknown): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
}

/** As a Status: the API server passes it on, and kubectl prints its message. */
function statusOf(error: unknown): { code: number; body: string } {
  const { status } = error instanceof StatusError ? error : new StatusError(500, 'InternalError', messageOf(error));
  return { code: status.code ?? 500, body: JSON.stringify(status) };
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const { code, body } = statusOf(error);
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(body);
}

function refuseUpgrade(socket: Duplex, error: unknown): void {
  if (socket.destroyed) return;
  const { code, body } = statusOf(error);
  socket.end(
    `HTTP/1.1 ${code} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
