import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

export interface Answer {
  code: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
}

/** The API by plain HTTPS, with the administrator's certificate: for what kubectl cannot say, or not fast enough. */
export class RawApi {
  readonly #agent: Agent;
  readonly #host: string;
  readonly #port: string;

  constructor(kubeconfig: string, { connections = 32 } = {}) {
    const file = parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: { cluster: Record<string, string> }[];
      users: { user: Record<string, string> }[];
    };
    const { cluster } = file.clusters[0] as { cluster: Record<string, string> };
    const { user } = file.users[0] as { user: Record<string, string> };
    const pem = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
    const url = new URL(cluster['server'] as string);
    this.#host = url.hostname;
    this.#port = url.port;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connections,
      ca: pem(cluster['certificate-authority-data']),
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
    });
  }

  /** Rejects when the connection breaks before an answer: then nobody knows whether it was done. */
  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: this.#host,
          port: this.#port,
          method,
          path,
          headers: {
            ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: response.headers }),
          );
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }

  /** Calls back with each line of a watch until the connection ends; then resolves. */
  watch(path: string, onLine: (line: string) => void, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sent = request({ agent: this.#agent, host: this.#host, port: this.#port, path, ...(signal ? { signal } : {}) }, (response) => {
        let rest = '';
        response.on('data', (chunk: Buffer) => {
          const lines = (rest + chunk.toString()).split('\n');
          rest = lines.pop() as string;
          for (const line of lines) onLine(line);
        });
        response.on('close', () => resolve());
        response.on('error', () => resolve());
      });
      sent.on('error', () => resolve());
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
