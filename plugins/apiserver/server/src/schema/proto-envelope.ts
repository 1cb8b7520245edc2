import { ProtoReader } from './proto-decode.ts';
import { ProtoWriter } from './proto-writer.ts';

/** The wrapper Kubernetes puts around protobuf objects: `k8s\0` and a runtime.Unknown (https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding). */
export const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
}

export function wrap({ apiVersion, kind, raw }: Envelope): Buffer {
  const writer = new ProtoWriter(raw.length + 64);
  writer.string(''); // contentType
  writer.tag(4, 2);
  writer.string(''); // contentEncoding
  writer.tag(3, 2);
  writer.bytes(raw);
  writer.tag(2, 2);
  const end = writer.mark();
  writer.string(kind);
  writer.tag(2, 2);
  writer.string(apiVersion);
  writer.tag(1, 2);
  writer.varint(writer.mark() - end);
  writer.tag(1, 2);
  writer.raw(MAGIC);
  return writer.finish();
}

/** Throws a SyntaxError with upstream's words for bytes that are no envelope. */
export function unwrap(bytes: Uint8Array): Envelope {
  if (bytes.length < 4 || !MAGIC.equals(bytes.subarray(0, 4))) {
    throw new SyntaxError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  const envelope: Envelope = { apiVersion: '', kind: '', raw: new Uint8Array() };
  const reader = new ProtoReader(bytes, 4);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag >>> 3 === 1) {
      const meta = reader.message();
      while (!meta.done) {
        const metaTag = meta.varint();
        if (metaTag >>> 3 === 1) envelope.apiVersion = meta.string();
        else if (metaTag >>> 3 === 2) envelope.kind = meta.string();
        else meta.skip(metaTag & 7);
      }
    } else if (tag >>> 3 === 2) envelope.raw = reader.bytes();
    else reader.skip(tag & 7);
  }
  return envelope;
}

/** A watch frame: length, then the event; the object inside has its own envelope. */
export function watchFrame(type: string, object: Uint8Array): Buffer {
  const writer = new ProtoWriter(object.length + 32);
  writer.bytes(object);
  writer.tag(1, 2);
  writer.varint(writer.mark());
  writer.tag(2, 2);
  writer.string(type);
  writer.tag(1, 2);
  const event = writer.finish();
  const frame = Buffer.allocUnsafe(4 + event.length);
  frame.writeUInt32BE(event.length, 0);
  event.copy(frame, 4);
  return frame;
}
