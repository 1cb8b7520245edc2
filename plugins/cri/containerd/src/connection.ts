import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fromGrpc } from './errors.ts';

const PROTO_DIR = fileURLToPath(new URL('../proto', import.meta.url));
const FILES = ['cri.proto', 'containerd-content.proto', 'containerd-images.proto', 'containerd-leases.proto', 'containerd-events.proto'];

const SERVICES = {
  runtime: 'runtime.v1.RuntimeService',
  image: 'runtime.v1.ImageService',
  content: 'containerd.services.content.v1.Content',
  images: 'containerd.services.images.v1.Images',
  leases: 'containerd.services.leases.v1.Leases',
  events: 'containerd.services.events.v1.Events',
} as const;
export type ServiceName = keyof typeof SERVICES;

/** CRI keeps everything of Kubernetes in this containerd namespace. */
export const NAMESPACE = 'k8s.io';

export interface CallOptions {
  /** Milliseconds; 0: as long as it takes. Default two minutes, the kubelet's own. */
  timeoutMs?: number;
  headers?: Record<string, string>;
}

type Unary = (request: object, metadata: grpc.Metadata, options: grpc.CallOptions, done: (error: unknown, reply: unknown) => void) => void;
type ServerStream = (request: object, metadata: grpc.Metadata) => grpc.ClientReadableStream<unknown>;
type Duplex = (metadata: grpc.Metadata) => grpc.ClientDuplexStream<unknown, unknown>;

let definitions: grpc.GrpcObject | undefined;
function serviceClass(name: ServiceName): grpc.ServiceClientConstructor {
  definitions ??= grpc.loadPackageDefinition(
    loadSync(FILES, { includeDirs: [PROTO_DIR], longs: Number, enums: String, defaults: true, keepCase: false }),
  );
  let found: unknown = definitions;
  for (const part of SERVICES[name].split('.')) found = (found as Record<string, unknown>)[part];
  return found as grpc.ServiceClientConstructor;
}

/** One HTTP/2 connection to a runtime's socket, shared by all services; it reconnects by itself. */
export class Connection {
  readonly socket: string;
  readonly #clients = new Map<ServiceName, grpc.Client>();
  readonly #streams = new Set<grpc.ClientReadableStream<unknown>>();

  constructor(socket: string) {
    this.socket = socket;
  }

  async call<T>(service: ServiceName, method: string, request: object = {}, options: CallOptions = {}): Promise<T> {
    const client = this.#client(service);
    const timeoutMs = options.timeoutMs ?? 120_000;
    return new Promise((resolve, reject) => {
      const fn = (client as unknown as Record<string, Unary>)[method]!;
      fn.call(client, request, metadata(options.headers), timeoutMs ? { deadline: Date.now() + timeoutMs } : {}, (error, reply) => {
        if (error) reject(fromGrpc(method, error));
        else resolve(reply as T);
      });
    });
  }

  /** Cancel it when done: `stream.cancel()`. */
  stream(service: ServiceName, method: string, request: object = {}): grpc.ClientReadableStream<unknown> {
    const client = this.#client(service);
    const stream = (client as unknown as Record<string, ServerStream>)[method]!.call(client, request, metadata());
    this.#streams.add(stream);
    stream.on('close', () => this.#streams.delete(stream));
    return stream;
  }

  duplex(service: ServiceName, method: string, headers?: Record<string, string>): grpc.ClientDuplexStream<unknown, unknown> {
    const client = this.#client(service);
    return (client as unknown as Record<string, Duplex>)[method]!.call(client, metadata(headers));
  }

  /** Calls under way are finished; streams end with an error. */
  close(): void {
    for (const stream of this.#streams) stream.cancel();
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(service: ServiceName): grpc.Client {
    let client = this.#clients.get(service);
    if (!client) {
      // A short backoff: the socket is local, and a kubelet that waits seconds after a runtime's restart delays every pod.
      client = new (serviceClass(service))(`unix:${this.socket}`, grpc.credentials.createInsecure(), {
        'grpc.max_receive_message_length': 16 << 20,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1000,
      });
      this.#clients.set(service, client);
    }
    return client;
  }
}

function metadata(headers: Record<string, string> = {}): grpc.Metadata {
  const result = new grpc.Metadata();
  result.set('containerd-namespace', NAMESPACE);
  for (const [name, value] of Object.entries(headers)) result.set(name, value);
  return result;
}
