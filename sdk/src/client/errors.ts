import { KubernelError, statusCode, statusReason } from '../errors.ts';

/** Errors of the client, beside the StatusErrors that the server answers with. */

export function apiUnavailable(subject: string, cause: unknown): KubernelError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KubernelError('ERR_API_UNAVAILABLE', `the API server cannot be reached: ${why}`, {
    subject,
    hint: 'check that the API server runs and that the address is right; calls may be repeated',
    cause,
  });
}

export function badArgument(message: string, subject: string): KubernelError {
  return new KubernelError('ERR_CLIENT_ARGUMENT', message, { subject });
}

export function badAnswer(message: string, subject: string, cause?: unknown): KubernelError {
  return new KubernelError('ERR_API_BAD_ANSWER', message, {
    subject,
    hint: 'what answers at this address does not speak the Kubernetes API',
    ...(cause === undefined ? {} : { cause }),
  });
}

export const isNotFound = (error: unknown): boolean => statusReason(error) === 'NotFound';
export const isAlreadyExists = (error: unknown): boolean => statusReason(error) === 'AlreadyExists';
/** 409 for a stale resourceVersion or a failed precondition. */
export const isConflict = (error: unknown): boolean => statusReason(error) === 'Conflict';
/** 410: the resourceVersion or the continue token is no longer kept. */
export const isGone = (error: unknown): boolean => statusCode(error) === 410;
/** The namespace of the object is being deleted: creating more in it is pointless. */
export function isNamespaceTerminating(error: unknown): boolean {
  const causes = (error as { status?: { details?: { causes?: { reason?: string }[] } } } | null)?.status?.details?.causes;
  return causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false;
}
