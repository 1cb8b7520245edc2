import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { isCode } from '@kubernel/sdk';
import { type ArchiveSource, DOCUMENT_MAX_BYTES, describe, entries, isGzip, readDocument } from './archive.ts';
import type { Connection } from './connection.ts';
import { badArchive, fromGrpc } from './errors.ts';
import { normalizeImageName } from './image-name.ts';

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
  platform?: { architecture?: string; os?: string };
}
interface Manifest {
  manifests?: Descriptor[];
  config?: Descriptor;
  layers?: Descriptor[];
}
type DockerManifest = { Config: string; RepoTags?: string[] | null; Layers: string[] }[];

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/**
 * Loads an image archive into containerd: blobs into its content store under a lease, then a name for each manifest. The
 * CRI service of containerd sees the new name by an event. `names` replaces what the archive calls a single image.
 */
export async function importArchive(connection: Connection, source: ArchiveSource, names: string[] = []): Promise<string[]> {
  const documents = await readDocuments(source);
  const target = new ContentStore(connection);
  await target.open();
  try {
    const index = documents.get('index.json');
    const docker = documents.get('manifest.json');
    let found: [name: string, image: Descriptor][];
    if (index) found = await importOci(source, target, documents, parse<Manifest>(index, source));
    else if (docker) found = await importDocker(source, target, documents, parse<DockerManifest>(docker, source));
    else throw badArchive(describe(source), 'it has neither index.json nor manifest.json');
    const first = found[0]?.[1];
    if (names.length && first) found = names.map((name) => [name, first]);
    const named = found.filter(([name]) => name).map(([name, image]) => [normalizeImageName(name), image] as const);
    if (!named.length) throw badArchive(describe(source), 'no image in it has a name; give one with --name');
    for (const [name, image] of named) await nameImage(connection, name, image);
    return named.map(([name]) => name);
  } finally {
    await target.close();
  }
}

/** Every small file of the archive: index, manifests, configurations. */
async function readDocuments(source: ArchiveSource): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for await (const entry of entries(source)) {
    if (entry.link || entry.size > DOCUMENT_MAX_BYTES) continue;
    const data = await readDocument(entry.content);
    if (data[0] === 0x7b || data[0] === 0x5b) found.set(entry.name, data);
  }
  return found;
}

async function importOci(
  source: ArchiveSource,
  target: ContentStore,
  documents: Map<string, Buffer>,
  index: Manifest,
): Promise<[string, Descriptor][]> {
  const blobs = new Map<string, Record<string, string>>();
  const visit = (descriptor: Descriptor): boolean => {
    const data = documents.get(blobPath(descriptor.digest));
    if (!data) return false;
    const manifest = parse<Manifest>(data, source);
    const labels: Record<string, string> = {};
    // An archive may hold one platform of an index that lists many: what is not there is not referred to.
    for (const [i, child] of (manifest.manifests ?? []).filter(visit).entries())
      labels[`containerd.io/gc.ref.content.m.${i}`] = child.digest;
    if (manifest.config) labels['containerd.io/gc.ref.content.config'] = manifest.config.digest;
    for (const [i, layer] of (manifest.layers ?? []).entries()) labels[`containerd.io/gc.ref.content.l.${i}`] = layer.digest;
    blobs.set(descriptor.digest, labels);
    for (const part of [manifest.config, ...(manifest.layers ?? [])]) if (part) blobs.set(part.digest, {});
    return true;
  };
  const images = (index.manifests ?? []).filter(visit);
  if (!images.length) throw badArchive(describe(source), 'index.json names no image that is in it');

  const written = new Set<string>();
  for await (const entry of entries(source)) {
    const digest = blobDigest(entry.name);
    const labels = digest && blobs.get(digest);
    if (!labels) continue;
    await target.write(entry.content, entry.size, labels, digest);
    written.add(digest);
  }
  const missing = [...blobs.keys()].find((digest) => !written.has(digest));
  if (missing) throw badArchive(describe(source), `blob ${missing} is missing`);

  const docker = documents.get('manifest.json');
  const tags = docker ? parse<DockerManifest>(docker, source).map((entry) => entry.RepoTags ?? []) : [];
  return images.flatMap((image, i): [string, Descriptor][] => {
    const names = tags.length === images.length && tags[i]?.length ? tags[i] : [ociName(image)];
    return names.map((name) => [name, image]);
  });
}

/** `org.opencontainers.image.ref.name` is a whole name to some tools and a mere tag to others. */
function ociName({ annotations = {} }: Descriptor): string {
  const full = annotations['io.containerd.image.name'];
  const ref = annotations['org.opencontainers.image.ref.name'] ?? '';
  return full ?? (/[/:]/.test(ref) ? ref : '');
}

/** A docker archive has layers by path and no manifest: one is made. */
async function importDocker(
  source: ArchiveSource,
  target: ContentStore,
  documents: Map<string, Buffer>,
  images: DockerManifest,
): Promise<[string, Descriptor][]> {
  const wanted = new Set(images.flatMap((image) => image.Layers.map(normal)));
  const layers = new Map<string, Descriptor>();
  const links = new Map<string, string>();
  for await (const entry of entries(source)) {
    if (entry.link) links.set(entry.name, entry.link);
    // Old archives link a layer that occurs twice, and the entry meant may not be named in the manifest itself.
    else if (wanted.has(entry.name) || /(^|\/)layer\.tar$/.test(entry.name)) {
      const { digest, gzip } = await target.write(entry.content, entry.size, {});
      layers.set(entry.name, { mediaType: gzip ? `${LAYER}+gzip` : LAYER, digest, size: entry.size });
    }
  }
  const result: [string, Descriptor][] = [];
  for (const image of images) {
    const configData = documents.get(normal(image.Config));
    if (!configData) throw badArchive(describe(source), `${image.Config} is missing`);
    const config = { mediaType: CONFIG, ...(await target.writeBuffer(configData, {})) };
    const parts = image.Layers.map((name) => {
      const layer = layers.get(links.get(normal(name)) ?? normal(name));
      if (!layer) throw badArchive(describe(source), `${name} is missing`);
      return layer;
    });
    const labels: Record<string, string> = { 'containerd.io/gc.ref.content.config': config.digest };
    for (const [i, layer] of parts.entries()) labels[`containerd.io/gc.ref.content.l.${i}`] = layer.digest;
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: parts }));
    const descriptor = { mediaType: MANIFEST, ...(await target.writeBuffer(manifest, labels)) };
    const names = image.RepoTags?.length ? image.RepoTags : [''];
    for (const name of names) result.push([name, descriptor]);
  }
  return result;
}

async function nameImage(connection: Connection, name: string, target: Descriptor): Promise<void> {
  const image = { name, target: { mediaType: target.mediaType, digest: target.digest, size: target.size } };
  try {
    await connection.call('images', 'create', { image });
  } catch (error) {
    if (!/already exists/.test((error as Error).message)) throw error;
    await connection.call('images', 'update', { image });
  }
}

/** containerd's content store. A lease holds what was written until the image's name refers to it. */
class ContentStore {
  readonly #connection: Connection;
  readonly #lease = `kubernel-import-${randomUUID()}`;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async open(): Promise<void> {
    // Should this process end before close(): containerd's collector drops the lease by itself after a day.
    const expires = new Date(Date.now() + 24 * 3_600_000).toISOString();
    await this.#connection.call('leases', 'create', { id: this.#lease, labels: { 'containerd.io/gc.expire': expires } });
  }

  async close(): Promise<void> {
    await this.#connection.call('leases', 'delete', { id: this.#lease }).catch(() => {});
  }

  async writeBuffer(data: Buffer, labels: Record<string, string>): Promise<{ digest: string; size: number }> {
    const { digest } = await this.write([data], data.length, labels);
    return { digest, size: data.length };
  }

  /** Streams one blob; `expected` is checked by containerd. A blob that is there already only gets the labels. */
  async write(
    content: Readable | Iterable<Buffer>,
    size: number,
    labels: Record<string, string>,
    expected = '',
  ): Promise<{ digest: string; gzip: boolean }> {
    const call = this.#connection.duplex('content', 'write', { 'containerd-lease': this.#lease });
    const hash = createHash('sha256');
    const ref = `${this.#lease}-${randomUUID()}`;
    let failure: unknown;
    let gzip = false;
    let offset = 0;
    call.on('data', () => {});
    const ended = new Promise<void>((resolve) => {
      call.on('error', (error) => {
        failure = error;
        resolve();
      });
      call.on('end', resolve);
    });
    for await (const chunk of content as AsyncIterable<Buffer>) {
      if (offset === 0) gzip = isGzip(chunk);
      hash.update(chunk);
      // After a refusal the rest is read all the same: the archive's next entry comes after it.
      if (!failure) await send(call, ended, { action: 'WRITE', ref, total: size, expected, offset, data: chunk });
      offset += chunk.length;
    }
    const digest = `sha256:${hash.digest('hex')}`;
    if (!failure) await send(call, ended, { action: 'COMMIT', ref, total: offset, offset, expected: digest, labels });
    call.end();
    await ended;
    if (failure) await this.#existing(failure, digest, labels);
    return { digest, gzip };
  }

  async #existing(failure: unknown, digest: string, labels: Record<string, string>): Promise<void> {
    const error = fromGrpc('content write', failure);
    if (!/already exists/.test(error.message)) throw error;
    const paths = Object.keys(labels).map((label) => `labels.${label}`);
    try {
      await this.#connection.call(
        'content',
        'update',
        { info: { digest, labels }, updateMask: { paths } },
        { headers: { 'containerd-lease': this.#lease } },
      );
    } catch (updateError) {
      if (!isCode(updateError, 'ERR_CRI_NOT_FOUND')) throw updateError;
      throw error;
    }
  }
}

function send(call: ClientDuplexStream<unknown, unknown>, ended: Promise<void>, message: object): Promise<void> | undefined {
  if (call.write(message)) return undefined;
  return Promise.race([new Promise<void>((resolve) => call.once('drain', resolve)), ended]);
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function blobDigest(path: string): string | undefined {
  const match = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path);
  return match ? `${match[1]}:${match[2]}` : undefined;
}

function normal(path: string): string {
  return path.replace(/^\.\//, '');
}

function parse<T>(data: Buffer, source: ArchiveSource): T {
  try {
    return JSON.parse(data.toString()) as T;
  } catch (error) {
    throw badArchive(describe(source), (error as Error).message);
  }
}
