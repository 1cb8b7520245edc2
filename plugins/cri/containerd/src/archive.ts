import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { badArchive } from './errors.ts';

/** An image archive, a file or the bytes of one. Read from the start each time it is opened. */
export type ArchiveSource = { file: string } | { data: Buffer };

export interface ArchiveEntry {
  name: string;
  size: number;
  /** For hard and symbolic links: the entry meant. */
  link: string | undefined;
  content: Readable;
}

/** The entries of a tar, gzipped or not. Each entry's content must be read to its end, or is skipped. */
export async function* entries(source: ArchiveSource): AsyncGenerator<ArchiveEntry> {
  const tar = extract();
  const input = await bytes(source);
  pipeline(input, tar, () => {});
  try {
    for await (const entry of tar) {
      const { name, size, linkname, type } = entry.header;
      const link = linkname && (type === 'symlink' ? posix.join(posix.dirname(name), linkname) : posix.normalize(linkname));
      yield { name: posix.normalize(name), size: size ?? 0, link: link || undefined, content: entry as unknown as Readable };
      entry.resume();
    }
  } catch (error) {
    throw badArchive(describe(source), (error as Error).message);
  } finally {
    input.destroy();
  }
}

export function describe(source: ArchiveSource): string {
  return 'file' in source ? source.file : 'the built-in archive';
}

async function bytes(source: ArchiveSource): Promise<Readable> {
  if ('data' in source) {
    const stream = new PassThrough();
    stream.end(source.data);
    return stream;
  }
  const handle = await open(source.file).catch((error: Error) => {
    throw badArchive(source.file, error.message);
  });
  const magic = Buffer.alloc(2);
  await handle.read(magic, 0, 2, 0);
  await handle.close();
  const file = createReadStream(source.file, { highWaterMark: 1 << 20 });
  return isGzip(magic) ? pipeline(file, createGunzip(), () => {}) : file;
}

export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** Small enough for a manifest or a configuration; a layer never is read into memory. */
export const DOCUMENT_MAX_BYTES = 8 << 20;

export async function readDocument(content: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
