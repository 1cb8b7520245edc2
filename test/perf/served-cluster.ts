import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Answer {
  code: number;
  bytes: number;
  /** The body, when it is short. */
  text: string;
}

/** A cluster in a process of its own, reached over HTTPS with its administrator's certificate. */
export interface ServedCluster {
  pid: number;
  send(method: string, path: string, body?: string, contentType?: string): Promise<Answer>;
  /** Calls `onText` with the body as it comes, until `close`. */
  stream(path: string, onText: (text: string) => void): { close(): void };
  cpuSeconds(): number;
  rssMib(): number;
  stop(): Promise<void>;
}

export async function serveCluster(config: string, dataDir: string, connections: number): Promise<ServedCluster> {
  const main = join(ROOT, 'kernel', 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'up', '--config', config, '--data-dir', dataDir, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  while (!output.includes('export KUBECONFIG=')) {
    if (child.exitCode !== null) throw new Error(output);
    await delay(5);
  }
  const pid = child.pid as number;
  const kubeconfig = parse(readFileSync(join(dataDir, 'kubeconfig'), 'utf8')) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const cluster = kubeconfig.clusters[0]?.cluster ?? {};
  const user = kubeconfig.users[0]?.user ?? {};
  const decode = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
  const tls = {
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
  const { hostname: host, port } = new URL(cluster['server'] as string);
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ...tls });
  return {
    pid,
    send: (method, path, body, contentType = 'application/json') =>
      new Promise((resolve, reject) => {
        const headers = body ? { 'content-type': contentType, 'content-length': Buffer.byteLength(body) } : {};
        const sent = request({ agent, host, port, method, path, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const data = Buffer.concat(chunks);
            resolve({ code: response.statusCode ?? 0, bytes: data.length, text: data.length < 4096 ? data.toString() : '' });
          });
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    stream(path, onText) {
      const sent = request({ ...tls, host, port, path, agent: false }, (response) => {
        response.setEncoding('utf8').on('data', onText).on('error', ignore);
      });
      sent.on('error', ignore).end();
      return { close: () => sent.destroy() };
    },
    cpuSeconds() {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    rssMib: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    stop() {
      agent.destroy();
      return new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.kill('SIGTERM');
      });
    },
  };
}

/** A stream that its reader closes ends with an error. */
function ignore(): void {}
