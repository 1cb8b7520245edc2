import { type Status, StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Representation } from './accept.ts';
import type { Api } from './api.ts';
import type { Call, ListResult, ObjectResult } from './call.ts';
import type { DecodeTarget } from './codec.ts';
import { YAML_TYPE } from './decode-body.ts';
import { ListBody } from './list-body.ts';
import { partialList, partialObject } from './partial.ts';
import { type Resource, textOf } from './registry.ts';
import { tableOf } from './table.ts';
import { toYaml } from './yaml.ts';

/** What goes to the client. */
export interface Answer {
  code: number;
  contentType: string;
  body: string | Buffer | ListBody;
  headers?: Record<string, string>;
}

export function renderObject(api: Api, call: Call, result: ObjectResult, as: Representation): Answer {
  const { code, resource } = result;
  if (as.as === 'Table' && resource)
    return encoded(api, code, JSON.stringify(tableOf(resource, [JSON.parse(result.text)], {}, call, as.version, true)), as, undefined);
  if (as.as === 'PartialObjectMetadataList' && resource) {
    const { group, type } = resource.definition;
    const about = `*${group ? type.slice(0, type.indexOf('.')) : 'core'}.${resource.kind}`;
    throw new StatusError(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadataList, but the requested object is not a list (${about})`,
    );
  }
  if (as.as === 'PartialObjectMetadata' && resource)
    return encoded(api, code, partialObject(result.text, as.version, resource.definition), as, undefined);
  return encoded(api, code, result.text, as, resource && result.text.startsWith(`{"kind":"${resource.kind}"`) ? resource : undefined);
}

export function renderList(api: Api, call: Call, result: ListResult, as: Representation): Answer {
  const { resource, entries } = result;
  const meta = listMeta(result, as.as !== undefined);
  if (as.as === 'Table') {
    const objects = entries.map((entry) => (resource.convert ? (JSON.parse(resource.convert(entry)) as KubeObject) : entry.object));
    return encoded(api, 200, JSON.stringify(tableOf(resource, objects, meta, call, as.version, false)), as, undefined);
  }
  if (as.as) {
    const items = entries.map((entry) => partialObject(textOf(resource, entry), as.version, resource.definition));
    return encoded(api, 200, partialList(items, meta, as.version), as, undefined);
  }
  const body = listBody(result, meta);
  if (as.mediaType === 'application/json' && !as.pretty) return { code: 200, contentType: 'application/json', body };
  return encoded(api, 200, body.toString(), as, listTarget(resource));
}

function listMeta(result: ListResult, table: boolean): Record<string, unknown> {
  return {
    resourceVersion: String(result.revision),
    // Lists of custom resources always say where to go on.
    ...(result.continue || (result.resource.keepsTypeMeta && !table) ? { continue: result.continue ?? '' } : {}),
    ...(result.remaining ? { remainingItemCount: result.remaining } : {}),
  };
}

function listBody({ resource, entries }: ListResult, meta: Record<string, unknown>): ListBody {
  const head = `{"kind":"${resource.listKind}","apiVersion":"${resource.apiVersion}","metadata":${JSON.stringify(meta)},"items":[`;
  return new ListBody(head, resource, entries);
}

const STATUS_TARGET: DecodeTarget = { type: 'meta.v1.Status', apiVersion: 'v1', kind: 'Status' };

/** JSON text in the representation the client asked for. `target` says of which kind it is, for protobuf. */
export function encoded(api: Api, code: number, json: string, as: Representation, target: DecodeTarget | undefined): Answer {
  if (as.mediaType === 'application/json') {
    return { code, contentType: 'application/json', body: as.pretty ? `${JSON.stringify(JSON.parse(json), null, 2)}\n` : json };
  }
  if (as.mediaType === YAML_TYPE) return { code, contentType: YAML_TYPE, body: toYaml(json) };
  const bytes = api.codec.encodeProtobuf?.(target ?? kindTarget(json), json);
  return bytes ? { code, contentType: as.mediaType, body: Buffer.from(bytes) } : { code, contentType: 'application/json', body: json };
}

/** For objects that are no resource's own kind: a Status, a Scale, a review. */
function kindTarget(json: string): DecodeTarget {
  const { kind = '', apiVersion = '' } = JSON.parse(json) as { kind?: string; apiVersion?: string };
  if (kind === 'Status') return STATUS_TARGET;
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return { type: `${group.split('.')[0]}.${version}.${kind}`, apiVersion, kind };
}

/** `core.v1.Pod` -> `core.v1.PodList`. */
function listTarget({ definition, apiVersion, listKind }: Resource): DecodeTarget {
  return { type: `${definition.type.slice(0, definition.type.lastIndexOf('.'))}.${listKind}`, apiVersion, kind: listKind };
}

export function renderStatus(api: Api, status: Status, as: Representation | null): Answer {
  const code = status.code ?? 500;
  const answer = encoded(api, code, JSON.stringify(status), as?.as ? { ...as, as: undefined } : (as ?? JSON_ONLY), STATUS_TARGET);
  const seconds = status.details?.retryAfterSeconds;
  if (seconds !== undefined) answer.headers = { 'Retry-After': String(seconds) };
  return answer;
}

const JSON_ONLY: Representation = { mediaType: 'application/json', as: undefined, version: 'v1', pretty: false };
