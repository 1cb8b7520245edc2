import { negotiate, type Representation } from './accept.ts';
import type { Call } from './call.ts';
import { partialObject } from './partial.ts';
import type { Resource } from './registry.ts';
import { notAcceptable } from './status.ts';
import { includeObject, tableOf } from './table.ts';
import { line, type WatchView } from './cache/watcher.ts';

export interface View {
  contentType: string;
  view: WatchView | undefined;
}

let tables = 0;

/** How a watch shows its objects. */
export function viewOf(resource: Resource, call: Call): View {
  const as = negotiate(call.accept);
  if (!as) throw notAcceptable(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']);
  const contentType = as.mediaType === 'application/json' ? 'application/json' : `${as.mediaType};stream=watch`;
  return { contentType: as.mediaType === 'application/json' ? contentType : 'application/json', view: shaped(resource, call, as) };
}

function shaped(resource: Resource, call: Call, as: Representation): WatchView | undefined {
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
  if (as.as) return { signature: `Partial/${as.version}`, render: (text) => partialObject(text, as.version) };
  return undefined;
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
