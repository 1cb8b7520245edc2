import { connect } from 'node:http2';
import type { CheckResult } from './check.ts';

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;

/**
 * One call of the gRPC health checking protocol (https://github.com/grpc/grpc/blob/master/doc/health-checking.md), KEP-2727.
 * Both messages have a single field, so they are written and read by hand. Never throws.
 */
export function grpcCheck(host: string, port: number, service: string, timeoutMs: number): Promise<CheckResult> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const timer = setTimeout(
      () => end({ ok: false, output: `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s` }),
      timeoutMs,
    );
    const end = (result: CheckResult): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(result);
    };
    session.on('error', (error) => end({ ok: false, output: `error: failed to connect service at "${address}": ${error.message}` }));
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': 'kube-probe/1.36',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let grpcStatus = '';
    call.on('response', (headers) => (grpcStatus = String(headers['grpc-status'] ?? '')));
    call.on('trailers', (trailers) => (grpcStatus = String(trailers['grpc-status'] ?? '')));
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', () => {});
    call.on('end', () => {
      if (grpcStatus === '12')
        return end({ ok: false, output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)' });
      if (grpcStatus !== '0') return end({ ok: false, output: `error: health rpc failed: code ${grpcStatus || 'unknown'}` });
      const status = servingStatus(Buffer.concat(chunks));
      end(
        status === SERVING
          ? { ok: true, output: '' }
          : { ok: false, output: `service unhealthy (responded with "${STATUS[status] ?? status}")` },
      );
    });
    call.end(frame(service));
  });
}

/** A length-prefixed message with field 1 as a string. */
function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length ? Buffer.concat([Buffer.from([0x0a, name.length]), name]) : name;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Field 1 as an enum; missing: its zero. */
function servingStatus(framed: Buffer): number {
  return framed[5] === 0x08 ? (framed[6] ?? 0) : 0;
}
