import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A registry of one image, from an OCI archive, as far as a pull needs it (OCI distribution specification). */
export async function serveImage(name: string, tag: string, archive: string): Promise<{ port: number; close(): void }> {
  const dir = mkdtempSync(join(tmpdir(), 'kubernel-registry-'));
  execFileSync('tar', ['-xf', archive, '-C', dir]);
  const { manifests } = JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')) as { manifests: [{ digest: string; mediaType: string }] };
  const blob = (digest: string) => join(dir, 'blobs', digest.replace(':', '/'));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://registry');
    const [, kind, reference = ''] = new RegExp(`^/v2/${name}/(manifests|blobs)/(.+)$`).exec(pathname) ?? [];
    const digest = kind === 'manifests' && reference === tag ? manifests[0].digest : reference;
    if (pathname !== '/v2/' && (!digest.includes(':') || !existsSync(blob(digest)))) {
      response.writeHead(404, { 'Content-Type': 'application/json' });
      return response.end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    }
    const data = pathname === '/v2/' ? Buffer.from('{}') : readFileSync(blob(digest));
    response.writeHead(200, {
      'Content-Length': data.length,
      'Content-Type': kind === 'manifests' ? manifests[0].mediaType : 'application/octet-stream',
      'Docker-Content-Digest': digest,
    });
    response.end(request.method === 'HEAD' ? undefined : data);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
