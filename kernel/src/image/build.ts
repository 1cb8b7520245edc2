import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KubernelError } from '@kubernel/sdk';
import { type ImageConfig, writeOciArchive } from './oci.ts';

export interface BuiltImage {
  file: string;
  sizeBytes: number;
  /** `sha256:…` of the archive. */
  digest: string;
}

/**
 * Packs `<dir>/rootfs` as a one-layer OCI image with the entrypoint, environment, … of `<dir>/image.json`
 * (the fields of {@link ImageConfig} without `name`). No registry and no daemon are needed.
 */
export async function buildImage(dir: string, name: string, file: string): Promise<BuiltImage> {
  const described = await readFile(join(dir, 'image.json'), 'utf8').catch(() => undefined);
  const rootfs = join(dir, 'rootfs');
  if (described === undefined || !(await stat(rootfs).catch(() => undefined))?.isDirectory()) {
    throw new KubernelError('ERR_IMAGE_SOURCE', `${dir} is no image source`, {
      subject: dir,
      hint: 'it needs a folder rootfs/ and a file image.json such as {"entrypoint": ["/bin/app"]}',
    });
  }
  let config: Omit<ImageConfig, 'name'>;
  try {
    config = JSON.parse(described) as Omit<ImageConfig, 'name'>;
  } catch (error) {
    throw new KubernelError('ERR_IMAGE_SOURCE', `${join(dir, 'image.json')}: ${(error as Error).message}`, { subject: dir });
  }
  writeOciArchive(rootfs, { ...config, name }, file);
  const data = await readFile(file);
  return { file, sizeBytes: data.length, digest: `sha256:${createHash('sha256').update(data).digest('hex')}` };
}
