/**
 * apiserver/v1: the API as in-process clients see it. The host connects each consumer with its own identity, so a
 * request passes the same authorization, admission and validation as one over HTTPS.
 */
export interface ApiService {
  request(request: ApiRequest): Promise<ApiResponse>;
  /**
   * A GET with `watch=true`. Each item is a batch of newline-terminated JSON watch events, as on the wire.
   * Fails with ERR_STATUS before the first batch when the request is refused.
   */
  watch(request: ApiRequest): AsyncIterable<string>;
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query: `/api/v1/namespaces/default/pods?limit=500`. */
  path: string;
  /** Default `application/json`. */
  contentType?: string;
  /** Default `application/json`. */
  accept?: string;
  body?: string;
}

export interface ApiResponse {
  /** HTTP status code. Refusals come back as a response with a Status body, not as an exception. */
  code: number;
  body: string;
  /** Texts of `Warning` headers. */
  warnings?: string[];
}
