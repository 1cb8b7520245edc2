import { type Status, type StatusDetails, StatusError } from '@kubernel/sdk';

/** The refusals of the API server, worded as Kubernetes clients know them (apimachinery's `errors` package is the measure). */

/** `deployments.apps`, or `pods` for the core group. */
export function qualified(group: string, resource: string): string {
  return group ? `${resource}.${group}` : resource;
}

function details(group: string, kind: string, name?: string): StatusDetails {
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), ...(kind ? { kind } : {}) };
}

export function notFound(group: string, resource: string, name: string): StatusError {
  return new StatusError(
    404,
    'NotFound',
    `${qualified(group, resource)} ${JSON.stringify(name)} not found`,
    details(group, resource, name),
  );
}

/** No such group, version or resource. */
export function unknownResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(group: string, resource: string, name: string, generated = false): StatusError {
  const message = `${qualified(group, resource)} ${JSON.stringify(name)} already exists${generated ? ', the server was not able to generate a unique name for the object' : ''}`;
  return new StatusError(409, 'AlreadyExists', message, details(group, resource, name));
}

export function conflict(group: string, resource: string, name: string, why: string): StatusError {
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(group, resource)} ${JSON.stringify(name)}: ${why}`,
    details(group, resource, name),
  );
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function methodNotAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** A method that the resource as such does not have, as its handler says it. */
export function methodNotSupported(group: string, resource: string, verb: string): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    `${verb} is not supported on resources of kind "${qualified(group, resource)}"`,
    details(group, resource),
  );
}

export function forbidden(group: string, resource: string, name: string, why: string): StatusError {
  const about = name ? `${qualified(group, resource)} ${JSON.stringify(name)}` : resource ? qualified(group, resource) : '';
  const message = about ? `${about} is forbidden: ${why}` : `forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, details(group, resource, name));
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

/** The revision is older than what is kept. */
export function expired(message: string, continueToken?: string): StatusError {
  const error = new StatusError(410, 'Expired', message);
  if (continueToken) error.status.metadata.continue = continueToken;
  return error;
}

export function tooOldResourceVersion(requested: number, current: number): StatusError {
  return expired(`too old resource version: ${requested} (${current})`);
}

export function tooLargeResourceVersion(requested: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function tooManyRequests(): StatusError {
  return new StatusError(429, 'TooManyRequests', 'too many requests, please try again later', { retryAfterSeconds: 1 });
}

export function requestTooLarge(limitBytes: number): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);
}

export function timeout(message: string): StatusError {
  return new StatusError(504, 'Timeout', message);
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export function unavailable(message: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 });
}

/** Anything thrown in the pipeline, as the Status its client reads. An unforeseen error becomes a 500 that names it. */
export function toStatus(error: unknown): Status {
  const status = (error as { status?: Status } | null)?.status;
  if (status && status.kind === 'Status') return status;
  const code = (error as { code?: string } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ERR_STORE_BUSY') return tooManyRequests().status;
  if (code === 'ERR_STORE_UNAVAILABLE') return unavailable(message).status;
  if (code === 'ERR_STORAGE_FULL') return new StatusError(507, 'InsufficientStorage', `the store is full: ${message}`).status;
  if (code === 'ERR_ROLE_UNAVAILABLE' || code === 'ERR_STORAGE_CLOSED') return unavailable(message).status;
  return internalError(message).status;
}

/** The body's type is none that this method takes, as the router says it before anybody looked at the body. */
/** `custom`: in the words for custom resources, which have no strategic merge patch. */
export function unsupportedPatch(custom = false): StatusError {
  if (custom) return unsupportedMediaType(['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']);
  return new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/** The router's words: no media type of the Accept header is made here. */
export function noRepresentation(available: readonly string[]): StatusError {
  return new StatusError(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`, {});
}

/** A DELETE whose preconditions do not hold. */
export function failedDeletion(
  group: string,
  kind: string,
  name: string,
  precondition: 'UID' | 'ResourceVersion',
  asked: string,
  found: string,
): StatusError {
  const why = precondition === 'UID' ? 'The object might have been deleted and then recreated' : 'The object might have been modified';
  return conflict(
    group,
    kind,
    name,
    `the ${precondition} in the precondition (${asked}) does not match the ${precondition} in record (${found}). ${why}`,
  );
}
