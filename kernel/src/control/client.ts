import { request } from 'node:http';
import { resolve } from 'node:path';
import { fromWireError, type WireError } from '@kubernel/sdk';
import { readRunFile } from '../data-dir.ts';
import { notRunning } from '../errors.ts';

/** Asks the kernel that runs on a data directory. @throws ERR_NOT_RUNNING, or what the kernel answered. */
export async function control<T>(dataDir: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const run = await readRunFile(resolve(dataDir));
  if (!run?.socket) throw notRunning(resolve(dataDir));
  const { socket } = run;
  return new Promise((done, fail) => {
    const sent = request({ socketPath: socket, path, method, headers: { 'content-type': 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const answer: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}');
        if ((response.statusCode ?? 500) < 400) done(answer as T);
        else fail(fromWireError(answer as WireError));
      });
    });
    sent.on('error', () => fail(notRunning(resolve(dataDir))));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
