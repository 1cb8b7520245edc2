import { checkAccept, type Representation } from './accept.ts';
import type { Api } from './api.ts';
import { line, type WatchView } from './cache/watcher.ts';
import type { Call } from './call.ts';
import type { DecodeTarget } from './codec.ts';
import { PROTOBUF_TYPE } from './decode-body.ts';
import { partialObject } from './partial.ts';
import type { Resource } from './registry.ts';
import { includeObject, tableOf } from './table.ts';

export interface View {
  contentType: string;
  view: WatchView | undefined;
}

let tables = 0;

/** How a watch shows its objects: shape (Table, metadata only) and encoding (lines of JSON, frames of protobuf). */
export function viewOf(api: Api, resource: Resource, call: Call): View {
  const as = checkAccept(call.accept, true);
  const shape = shapeOf(resource, call, as);
  if (as.mediaType !== PROTOBUF_TYPE || !api.codec.encodeProtobufEvent || resource.keepsTypeMeta || as.as === 'Table')
    return { contentType: 'application/json', view: shape };
  return { contentType: `${PROTOBUF_TYPE};stream=watch`, view: framed(api, resource, shape) };
}

function shapeOf(resource: Resource, call: Call, as: Representation): WatchView | undefined {
  if (as.as === 'Table') {
    includeObject(call);
    // Only a watcher's first event carries the columns, so no two watchers share their encoding.
    let first = true;
    return {
      signature: `Table/${++tables}`,
      render(text) {
        const table = tableOf(resource, [JSON.parse(text)], {}, call, as.version, true);
        if (!first) table.columnDefinitions = null;
        first = false;
        return JSON.stringify(table);
      },
    };
  }
  if (as.as) return { signature: `Partial/${as.version}`, render: (text) => partialObject(text, as.version, resource.definition) };
  return undefined;
}

/** Length-prefixed frames, each a WatchEvent whose object is in the `k8s\0` envelope. */
function framed(api: Api, resource: Resource, shape: WatchView | undefined): WatchView {
  return {
    signature: `protobuf/${shape?.signature ?? ''}`,
    ...(shape?.render ? { render: shape.render } : {}),
    // Bytes one to a character, so that frames join as lines do.
    frame: (type, text) => Buffer.from(api.codec.encodeProtobufEvent?.(targetOf(resource, text), type, text) ?? []).toString('latin1'),
  };
}

function targetOf(resource: Resource, text: string): DecodeTarget {
  if (text.startsWith('{"kind":"PartialObjectMetadata"'))
    return { type: 'meta.v1.PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' };
  if (text.startsWith('{"kind":"Status"')) return { type: 'meta.v1.Status', apiVersion: 'v1', kind: 'Status' };
  return resource;
}

/** Makes the bookmark events of a watch. `initialDone` marks the end of a WatchList's first events (KEP-3157). */
export function bookmarkOf(resource: Resource, { view }: View): (revision: number, initialDone: boolean) => string {
  const { kind, apiVersion } = resource;
  return (revision, initialDone) => {
    const annotations = initialDone ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const object = JSON.stringify({ kind, apiVersion, metadata: { resourceVersion: String(revision), ...annotations } });
    return line('BOOKMARK', object, view);
  };
}
