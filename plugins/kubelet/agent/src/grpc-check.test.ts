import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { grpcCheck } from './grpc-check.ts';

describe('a gRPC probe', () => {
  it('asks for one service, and believes only SERVING', async () => {
    const asked: string[] = [];
    let answer = 1;
    let code = '0';
    const server = createServer();
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        asked.push(`${headers[':path']} ${Buffer.concat(chunks).subarray(7).toString()}`);
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': code }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, answer]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await grpcCheck('127.0.0.1', port, 'db', 1000)).toEqual({ ok: true, output: '' });
    expect(asked).toEqual(['/grpc.health.v1.Health/Check db']);
    answer = 2;
    expect(await grpcCheck('127.0.0.1', port, '', 1000)).toEqual({ ok: false, output: 'service unhealthy (responded with "NOT_SERVING")' });
    code = '12';
    expect((await grpcCheck('127.0.0.1', port, '', 1000)).output).toContain('does not implement');
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect((await grpcCheck('127.0.0.1', port, '', 1000)).output).toContain('failed to connect');
  });
});
