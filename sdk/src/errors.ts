/**
 * Errors with stable codes. An error crosses threads as `{code, message, subject, hint}`, so recognise it by
 * `code` (or with {@link isCode}), never by `instanceof`.
 */

/** The codes of this package. Other packages add their own `ERR_…` codes in one `errors.ts` each. */
export type ErrorCode = `ERR_${string}`;

export interface ErrorFields {
  /** The plugin or object the error is about: `storage/sqlite`, `pods "web-0"`. */
  subject?: string;
  /** The next step for the person who reads it. */
  hint?: string;
  cause?: unknown;
}

export class KubernelError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'KubernelError';
    this.code = code;
    this.subject = fields.subject;
    this.hint = fields.hint;
  }
}

export function isCode(error: unknown, code: ErrorCode): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === code;
}

/** What an error looks like on a MessagePort. */
export interface WireError {
  code: string;
  message: string;
  subject?: string;
  hint?: string;
  stack?: string;
  /** A Kubernetes Status, when the error is a {@link StatusError}. */
  status?: Status;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string; resourceVersion?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** A failed API request, with the `Status` a client reads. `code` is always `ERR_STATUS`; look at `status.reason`. */
export class StatusError extends KubernelError {
  readonly status: Status;

  constructor(httpCode: number, reason: string, message: string, details?: StatusDetails) {
    super('ERR_STATUS', message);
    this.name = 'StatusError';
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code: httpCode,
    };
  }

  static from(status: Status): StatusError {
    const error = new StatusError(status.code ?? 500, status.reason ?? '', status.message ?? '', status.details);
    (error as { status: Status }).status = status;
    return error;
  }
}

/** The HTTP code of an API error, or 0 when it is not one. */
export function statusCode(error: unknown): number {
  return (error as { status?: Status } | null)?.status?.code ?? 0;
}

/** The reason of an API error (`NotFound`, `Conflict`, `AlreadyExists`, …), or '' when it is not one. */
export function statusReason(error: unknown): string {
  return (error as { status?: Status } | null)?.status?.reason ?? '';
}

export function toWireError(error: unknown): WireError {
  if (!(error instanceof Error)) return { code: 'ERR_UNKNOWN', message: String(error) };
  const { code, subject, hint, status } = error as Partial<StatusError>;
  return {
    code: typeof code === 'string' ? code : 'ERR_INTERNAL',
    message: error.message,
    ...(subject ? { subject } : {}),
    ...(hint ? { hint } : {}),
    ...(error.stack ? { stack: error.stack } : {}),
    ...(status ? { status } : {}),
  };
}

export function fromWireError(wire: WireError): KubernelError {
  const error = wire.status
    ? StatusError.from(wire.status)
    : new KubernelError(wire.code as ErrorCode, wire.message, {
        ...(wire.subject ? { subject: wire.subject } : {}),
        ...(wire.hint ? { hint: wire.hint } : {}),
      });
  if (wire.stack) error.stack = wire.stack;
  return error;
}
