import { StatusError } from '@kubernel/sdk';
import { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import type { Call } from './call.ts';
import { badRequest } from './status.ts';

/** ListOptions, as the query of a list, a watch or a deletecollection carries them. */
export interface ListOptions {
  labelSelector: string | undefined;
  fieldSelector: string | undefined;
  watch: boolean;
  allowWatchBookmarks: boolean;
  /** As written; '' when missing. */
  resourceVersion: string;
  resourceVersionMatch: string;
  timeoutSeconds: number | undefined;
  /** 0: no limit. */
  limit: number;
  continue: string;
  sendInitialEvents: boolean | undefined;
}

export function listOptions(call: Call, forceWatch = false): ListOptions {
  const { query } = call;
  const options: ListOptions = {
    labelSelector: query.get('labelSelector') || undefined,
    fieldSelector: query.get('fieldSelector') || undefined,
    watch: forceWatch || query.flag('watch'),
    allowWatchBookmarks: query.flag('allowWatchBookmarks'),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: integer(query.get('timeoutSeconds')),
    limit: integer(query.get('limit')) ?? 0,
    continue: query.get('continue') ?? '',
    sendInitialEvents: query.has('sendInitialEvents') ? query.flag('sendInitialEvents') : undefined,
  };
  if (query.size > 0) validate(options);
  return options;
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list */
function validate(options: ListOptions): void {
  const errors = new FieldErrors();
  const match = FieldPath.of('resourceVersionMatch');
  const { resourceVersionMatch, resourceVersion, sendInitialEvents } = options;
  if (options.watch) {
    if (sendInitialEvents === undefined) {
      if (resourceVersionMatch) errors.forbidden(match, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    } else if (!resourceVersionMatch) {
      errors.forbidden(match, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
    }
    if (resourceVersionMatch && resourceVersionMatch !== 'NotOlderThan') errors.notSupported(match, resourceVersionMatch, ['NotOlderThan']);
  } else {
    if (sendInitialEvents !== undefined) errors.forbidden(FieldPath.of('sendInitialEvents'), 'sendInitialEvents is forbidden for list');
    if (resourceVersionMatch) {
      if (options.continue) errors.forbidden(match, 'resourceVersionMatch is forbidden when continue is provided');
      else if (!resourceVersion) errors.forbidden(match, 'resourceVersionMatch is forbidden unless resourceVersion is provided');
      if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
        errors.notSupported(match, resourceVersionMatch, ['Exact', 'NotOlderThan', '']);
      }
      if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
        errors.forbidden(match, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
      }
    }
  }
  if (!errors.empty) throw errors.toStatusError('ListOptions', 'meta.k8s.io', '');
}

function integer(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** A list's or watch's resourceVersion; undefined when it is empty. */
export function listRevision(text: string): number | undefined {
  if (text === '') return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`invalid resource version: ${invalidRevision(text)}`);
  return Number(text);
}

/** A GET's resourceVersion. Upstream answers a malformed one with 500 here. */
export function revisionParameter(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new StatusError(500, '', invalidRevision(text));
  return Number(text);
}

function invalidRevision(text: string): string {
  return `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
}
