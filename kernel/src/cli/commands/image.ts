import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Image } from '@kubernel/sdk';
import { control } from '../../control/client.ts';
import { buildImage } from '../../image/build.ts';
import { type OutputFormat, print, printJson, size, table } from '../output.ts';

interface Loaded {
  images: string[];
}

export async function imageLoad(file: string, { dataDir, output }: { dataDir: string; output: OutputFormat }): Promise<void> {
  const loaded = await control<Loaded>(resolve(dataDir), 'POST', '/images', { file: resolve(file) });
  if (output === 'json') printJson(loaded);
  else for (const name of loaded.images) print(`Loaded ${name}`);
}

export async function imageBuild(dir: string, { dataDir, tag, file }: { dataDir: string; tag: string; file?: string }): Promise<void> {
  if (file) {
    const built = await buildImage(resolve(dir), tag, resolve(file));
    print(`Wrote ${file}: ${tag}, ${size(built.sizeBytes)}, ${built.digest}`);
    return;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'kubernel-image-'));
  try {
    const archive = join(scratch, 'image.tar');
    await buildImage(resolve(dir), tag, archive);
    await imageLoad(archive, { dataDir, output: 'text' });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export async function imageLs({ dataDir, output }: { dataDir: string; output: OutputFormat }): Promise<void> {
  const images = await control<Image[]>(resolve(dataDir), 'GET', '/images');
  if (output === 'json') return printJson(images);
  const rows = images.flatMap((image) =>
    (image.repoTags.length > 0 ? image.repoTags : ['<none>']).map((name) => [
      name,
      image.id.replace('sha256:', '').slice(0, 12),
      size(Number(image.size)),
    ]),
  );
  print(table(['IMAGE', 'ID', 'SIZE'], rows));
}
