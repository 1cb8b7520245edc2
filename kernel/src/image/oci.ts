import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface ImageConfig {
  /** `kubernel.local/redis:7`. */
  name: string;
  entrypoint?: string[];
  cmd?: string[];
  env?: string[];
  workingDir?: string;
  user?: string;
  ports?: number[];
  stopSignal?: string;
}

const ARCHITECTURE = arch() === 'arm64' ? 'arm64' : 'amd64';

/** Packs a root file system as a one-layer OCI archive. The same tree gives the same image. */
export function writeOciArchive(rootfs: string, image: ImageConfig, file: string): void {
  const work = mkdtempSync(join(tmpdir(), 'kubernel-oci-'));
  try {
    const layout = join(work, 'layout');
    const blobs = join(layout, 'blobs', 'sha256');
    mkdirSync(blobs, { recursive: true });
    const layerFile = join(work, 'layer.tar');
    tar(rootfs, layerFile);
    const layer = readFileSync(layerFile);
    renameSync(layerFile, join(blobs, sha256(layer)));

    const put = (value: unknown): { digest: string; size: number } => {
      const data = Buffer.from(JSON.stringify(value));
      writeFileSync(join(blobs, sha256(data)), data);
      return { digest: `sha256:${sha256(data)}`, size: data.length };
    };
    const config = put({
      architecture: ARCHITECTURE,
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(image.env ?? [])],
        ...(image.entrypoint ? { Entrypoint: image.entrypoint } : {}),
        ...(image.cmd ? { Cmd: image.cmd } : {}),
        ...(image.user ? { User: image.user } : {}),
        ...(image.stopSignal ? { StopSignal: image.stopSignal } : {}),
        ...(image.ports ? { ExposedPorts: Object.fromEntries(image.ports.map((port) => [`${port}/tcp`, {}])) } : {}),
        WorkingDir: image.workingDir ?? '/',
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    });
    const manifest = put({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${sha256(layer)}`, size: layer.length }],
    });
    writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(
      join(layout, 'index.json'),
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            ...manifest,
            platform: { architecture: ARCHITECTURE, os: 'linux' },
            annotations: { 'io.containerd.image.name': image.name, 'org.opencontainers.image.ref.name': image.name },
          },
        ],
      }),
    );
    mkdirSync(dirname(file), { recursive: true });
    tar(layout, `${file}.tmp`);
    renameSync(`${file}.tmp`, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function tar(dir: string, file: string): void {
  execFileSync('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', dir, '-cf', file, '.']);
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
