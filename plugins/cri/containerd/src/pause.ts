import { createHash } from 'node:crypto';
import { KubernelError } from '@kubernel/sdk';
import { pack } from 'tar-stream';

/** What holds a sandbox's namespaces open. The tag is raised when the program below changes. */
export const PAUSE_IMAGE = 'kubernel.dev/pause:1';

/**
 * The program: ignore SIGCHLD, so that the kernel reaps orphans of a shared process namespace, and wait for ever. As the
 * first process of its namespace it ignores SIGTERM by nature; runtimes end sandboxes with SIGKILL.
 */
function pauseProgram(architecture: string): Buffer {
  if (architecture === 'amd64') {
    return Buffer.from([
      0xb8,
      13,
      0,
      0,
      0, // mov eax, rt_sigaction
      0xbf,
      17,
      0,
      0,
      0, // mov edi, SIGCHLD
      0x48,
      0x8d,
      0x35,
      23,
      0,
      0,
      0, // lea rsi, [rip + 23] -> the action below
      0x31,
      0xd2, // xor edx, edx
      0x41,
      0xba,
      8,
      0,
      0,
      0, // mov r10d, 8 (bytes of a signal set)
      0x0f,
      0x05, // syscall
      0xb8,
      34,
      0,
      0,
      0, // again: mov eax, pause
      0x0f,
      0x05, // syscall
      0xeb,
      0xf7, // jmp again
      0,
      0,
      0,
      0, // (to offset 40)
      1,
      ...new Array<number>(31).fill(0), // struct sigaction { SIG_IGN, 0, 0, 0 }
    ]);
  }
  if (architecture === 'arm64') {
    const movz = (register: number, value: number): number => 0xd2800000 + value * 32 + register;
    const svc = 0xd4000001;
    const words = [
      movz(8, 134), // rt_sigaction
      movz(0, 17), // SIGCHLD
      0x10000000 + ((4 * 13 - 8) / 4) * 32 + 1, // adr x1, the action below
      movz(2, 0),
      movz(3, 8),
      svc,
      movz(0, 0), // again: ppoll(NULL, 0, NULL, NULL)
      movz(1, 0),
      movz(2, 0),
      movz(3, 0),
      movz(8, 73),
      svc,
      0x14000000 + (0x3ffffff - 5), // b again, six words back
    ];
    const code = Buffer.alloc(words.length * 4 + 32);
    for (const [index, word] of words.entries()) code.writeUInt32LE(word >>> 0, index * 4);
    code[words.length * 4] = 1;
    return code;
  }
  throw new KubernelError('ERR_PAUSE_ARCHITECTURE', `there is no pause program for ${architecture} yet`, {
    subject: 'cri/containerd',
    hint: 'set config.socket to a runtime that has its own sandbox image',
  });
}

/** A static ELF executable of one segment: header, program header, code. */
export function pauseBinary(architecture: string): Buffer {
  const code = pauseProgram(architecture);
  const HEADERS = 64 + 56;
  const BASE = 0x400000n;
  const elf = Buffer.alloc(HEADERS + code.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(elf); // 64 bit, little endian, version 1
  elf.writeUInt16LE(2, 16); // executable
  elf.writeUInt16LE(architecture === 'amd64' ? 62 : 183, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BASE + BigInt(HEADERS), 24); // entry
  elf.writeBigUInt64LE(64n, 32); // program headers follow
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64); // PT_LOAD
  elf.writeUInt32LE(5, 68); // read, execute
  elf.writeBigUInt64LE(BASE, 80);
  elf.writeBigUInt64LE(BASE, 88);
  elf.writeBigUInt64LE(BigInt(elf.length), 96);
  elf.writeBigUInt64LE(BigInt(elf.length), 104);
  elf.writeBigUInt64LE(0x1000n, 112);
  code.copy(elf, HEADERS);
  return elf;
}

/** The image as an OCI archive, the same bytes each time. */
export async function pauseArchive(architecture: string): Promise<Buffer> {
  const layer = await tar({ pause: { data: pauseBinary(architecture), mode: 0o755 } });
  const config = json({
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535', WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    history: [{ created_by: 'kubernel' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest(layer), size: layer.length }],
  });
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: digest(manifest),
        size: manifest.length,
        annotations: { 'io.containerd.image.name': PAUSE_IMAGE },
      },
    ],
  });
  const blob = (data: Buffer) => ({ [`blobs/sha256/${digest(data).slice(7)}`]: { data } });
  return tar({
    'oci-layout': { data: json({ imageLayoutVersion: '1.0.0' }) },
    'index.json': { data: index },
    ...blob(manifest),
    ...blob(config),
    ...blob(layer),
  });
}

async function tar(files: Record<string, { data: Buffer; mode?: number }>): Promise<Buffer> {
  const archive = pack();
  for (const [name, { data, mode }] of Object.entries(files)) archive.entry({ name, mode: mode ?? 0o644, mtime: new Date(0) }, data);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digest(data: Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
