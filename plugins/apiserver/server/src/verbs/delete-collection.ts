import { statusCode } from '@kubernel/sdk';
import type { Api } from '../api.ts';
import type { Entry } from '../cache/entry.ts';
import type { Call, Result } from '../call.ts';
import { deleteOptions } from '../delete-options.ts';
import { listOptions } from '../list-options.ts';
import type { Resource } from '../registry.ts';
import { selectionOf } from '../selection.ts';
import { deleteObject } from './delete.ts';
import { listSelection } from './list.ts';

/** How many deletions of one request are on their way at once. */
const WORKERS = 64;

/** DELETE of a list: each object by the same rules as a single one; what is gone already is no error. */
export async function deleteCollection(api: Api, call: Call, resource: Resource): Promise<Result> {
  const options = deleteOptions(api, call);
  const listed = listOptions(call);
  const selection = selectionOf(resource, call.info.namespace, listed.labelSelector, listed.fieldSelector);
  const result = await listSelection(api, resource, selection, listed);
  const queue = [...result.entries];
  const workers = Array.from({ length: Math.min(WORKERS, queue.length) }, async () => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) await remove(api, call, resource, entry, options);
  });
  await Promise.all(workers);
  return result;
}

async function remove(api: Api, call: Call, resource: Resource, entry: Entry, options: ReturnType<typeof deleteOptions>): Promise<void> {
  const { name = '', namespace = '' } = entry.object.metadata;
  try {
    await deleteObject(api, call, resource, namespace, name, options);
  } catch (error) {
    if (statusCode(error) !== 404) throw error;
  }
}
