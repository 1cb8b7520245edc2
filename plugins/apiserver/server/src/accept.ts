import { LRUCache } from 'lru-cache';
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from './decode-body.ts';
import { noRepresentation, notAcceptable } from './status.ts';

/** The representation a client gets: a media type, and maybe another shape of the object. */
export interface Representation {
  mediaType: typeof JSON_TYPE | typeof YAML_TYPE | typeof PROTOBUF_TYPE;
  /** `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`. */
  as: string | undefined;
  /** `v1` or `v1beta1` of meta.k8s.io. */
  version: string;
  pretty: boolean;
}

export const PLAIN_JSON: Representation = { mediaType: JSON_TYPE, as: undefined, version: 'v1', pretty: false };
const SERVED = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE] as const;
const SHAPES = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

const parsed = new LRUCache<string, { chosen: Representation | null }>({ max: 500 });

/** Null: nothing the client accepts is served. The shapes are only those the endpoint has (`Table` on a list, …). */
export function negotiate(accept: string, shapes: ReadonlySet<string> = SHAPES): Representation | null {
  if (accept === '' || accept === JSON_TYPE || accept === '*/*') return PLAIN_JSON;
  const key = shapes === SHAPES ? accept : `${[...shapes].join()}\n${accept}`;
  let found = parsed.get(key);
  if (found === undefined) {
    found = { chosen: choose(accept, shapes) };
    parsed.set(key, found);
  }
  return found.chosen;
}

function choose(accept: string, shapes: ReadonlySet<string>): Representation | null {
  const clauses = accept
    .split(',')
    .map((text, order) => ({ ...clause(text), order }))
    .sort((a, b) => b.quality - a.quality || a.order - b.order);
  for (const { media, parameters } of clauses) {
    const mediaType = SERVED.find((served) => covers(media, served));
    if (!mediaType) continue;
    const as = parameters.get('as');
    if (as !== undefined) {
      const group = parameters.get('g') ?? '';
      const version = parameters.get('v') ?? '';
      if (!shapes.has(as) || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
      return { mediaType, as, version, pretty: parameters.get('pretty') === '1' };
    }
    return { mediaType, as: undefined, version: 'v1', pretty: parameters.get('pretty') === '1' };
  }
  return null;
}

function clause(text: string): { media: string; parameters: Map<string, string>; quality: number } {
  const [media = '', ...rest] = text.split(';');
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals > 0) parameters.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  const quality = Number(parameters.get('q') ?? '1');
  return { media: media.trim().toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
}

/** `application/*` covers nothing: upstream's router does not know it. */
function covers(range: string, media: string): boolean {
  return range === media || range === '*/*';
}

const STREAMS = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

/**
 * Refuses what cannot be answered before the work is done, in upstream's two steps: its router looks at plain media
 * types, its negotiation at their parameters.
 */
export function checkAccept(accept: string, list: boolean): Representation {
  const as = negotiate(accept);
  if (as) return as;
  const plain = accept.split(',').map((clause) => (clause.split(';')[0] ?? '').trim().toLowerCase());
  if (!plain.some((media) => media === '*/*' || SERVED.includes(media as (typeof SERVED)[number]))) {
    throw noRepresentation(list ? [...SERVED, ...STREAMS] : SERVED);
  }
  throw notAcceptable(SERVED);
}
