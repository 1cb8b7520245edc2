import { readFileSync, statSync } from 'node:fs';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { ApiRequest, ApiResponse, ApiService } from '../roles/apiserver.ts';
import { apiUnavailable, badArgument } from './errors.ts';
import { errorOf } from './rest-client.ts';

/** How to reach an API server over HTTPS. PEM texts, not file names, where not said otherwise. */
export interface HttpsOptions {
  /** `https://host:6443`. */
  server: string;
  ca?: string;
  cert?: string;
  key?: string;
  token?: string;
  /** Read again when it changes, so that a rotated token is used without a restart. */
  tokenFile?: string;
  /** Name to verify in the server's certificate, where it differs from the address. */
  serverName?: string;
  /** Accept any server certificate. */
  insecure?: boolean;
  userAgent?: string;
  /** Largest request body, in bytes. Default 3 MiB, as the server's own limit. */
  maxRequestBytes?: number;
  /** Largest answer that is not a watch, in bytes. Default 512 MiB, the longest string there is room for. */
  maxResponseBytes?: number;
  /** How long an answer that is not a watch may take, in milliseconds. Default 60,000. */
  requestTimeoutMs?: number;
  /** A connection is asked for a sign of life this often, in milliseconds, and dropped when it gives none. Default 15,000. */
  pingMs?: number;
}

export interface HttpsService extends ApiService {
  /** Closes the connection; requests and watches in flight fail. */
  close(): void;
}

/**
 * The API over one HTTP/2 connection, opened on first use and again when it was lost. A request that could not be
 * sent at all is repeated once on a new connection; one that may have arrived is not: the caller knows what is safe.
 */
export function createHttpsService(options: HttpsOptions): HttpsService {
  return new Http2Service(options);
}

/** Loaded on use: every isolate has this module, and few of them speak HTTP. */
const http2 = (): typeof import('node:http2') => process.getBuiltinModule('node:http2');
/** RFC 9113, section 7. */
const NO_ERROR = 0;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const WINDOW_BYTES = 16 * 1024 * 1024;

class Http2Service implements HttpsService {
  readonly #options: HttpsOptions;
  readonly #basePath: string;
  readonly #origin: string;
  readonly #token: () => string | undefined;
  #session: ClientHttp2Session | undefined;
  #closed = false;

  constructor(options: HttpsOptions) {
    const url = new URL(options.server);
    if (url.protocol !== 'https:') throw badArgument(`not an https address: ${options.server}`, 'server');
    this.#options = options;
    this.#origin = url.origin;
    this.#basePath = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
    this.#token = tokenSource(options);
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const limit = this.#options.maxRequestBytes ?? 3 * 1024 * 1024;
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    if (body && body.length > limit) throw badArgument(`the request is ${body.length} bytes long, more than ${limit}`, subjectOf(request));
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#exchange(request, body);
      } catch (error) {
        if (attempt > 0 || this.#closed || !(error as { unsent?: boolean }).unsent) throw error;
      }
    }
  }

  watch(request: ApiRequest): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => new WatchStream(this.#open(request, undefined), request) };
  }

  close(): void {
    this.#closed = true;
    this.#session?.destroy();
    this.#session = undefined;
  }

  #exchange(request: ApiRequest, body: Buffer | undefined): Promise<ApiResponse> {
    const maxBytes = this.#options.maxResponseBytes ?? 512 * 1024 * 1024 - 64;
    return new Promise((resolve, reject) => {
      const stream = this.#open(request, body);
      const chunks: Buffer[] = [];
      let length = 0;
      let code = 0;
      let warnings: string[] | undefined;
      const fail = (error: unknown): void => {
        const failure = apiUnavailable(subjectOf(request), error);
        // Refused streams and connections that never opened: the server has seen nothing of it.
        const unsent = code === 0 && (stream.rstCode === REFUSED_STREAM || stream.pending);
        reject(Object.assign(failure, { unsent }));
      };
      stream.setTimeout(this.#options.requestTimeoutMs ?? 60_000, () => {
        fail(new Error('no answer in time'));
        stream.close(CANCEL);
      });
      stream.on('response', (headers) => {
        code = Number(headers[':status']);
        warnings = warningTexts(headers.warning);
      });
      stream.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) {
          fail(new Error(`the answer is longer than ${maxBytes} bytes`));
          stream.close(CANCEL);
        } else {
          chunks.push(chunk);
        }
      });
      stream.on('error', fail);
      // Not on `end`, which also comes when an answer is cut off in the middle.
      stream.on('close', () => {
        if (code === 0 || stream.rstCode !== NO_ERROR) return fail(new Error('the connection was closed'));
        const text = chunks.length === 1 ? (chunks[0] as Buffer).toString('utf8') : Buffer.concat(chunks, length).toString('utf8');
        resolve({ code, body: text, ...(warnings ? { warnings } : {}) });
      });
    });
  }

  #open(request: ApiRequest, body: Buffer | undefined): ClientHttp2Stream {
    const token = this.#token();
    const stream = this.#connection().request(
      {
        ':method': request.method,
        ':path': this.#basePath + request.path,
        accept: request.accept ?? 'application/json',
        'user-agent': this.#options.userAgent ?? 'kubernel',
        ...(body ? { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      { endStream: body === undefined },
    );
    if (body) stream.end(body);
    return stream;
  }

  #connection(): ClientHttp2Session {
    if (this.#closed) throw apiUnavailable(this.#origin, new Error('this client was closed'));
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const { ca, cert, key, serverName, insecure, pingMs = 15_000 } = this.#options;
    const session = http2().connect(this.#origin, {
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(serverName ? { servername: serverName } : {}),
      ...(insecure ? { rejectUnauthorized: false } : {}),
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    const drop = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    // Streams tell their own errors; without a listener the session's would end the process.
    session.on('error', drop);
    session.on('goaway', drop);
    session.on('close', drop);
    keepAlive(session, pingMs);
    this.#session = session;
    return session;
  }
}

/** Half-open connections (a machine that vanished) are found by pings, not by waiting for TCP to give up. */
function keepAlive(session: ClientHttp2Session, pingMs: number): void {
  let answered = true;
  const timer = setInterval(() => {
    if (session.connecting) return;
    if (!answered) return session.destroy(new Error('the server does not answer pings'));
    answered = false;
    if (!session.destroyed) {
      session.ping((error) => {
        if (!error) answered = true;
      });
    }
  }, pingMs);
  timer.unref();
  session.on('close', () => clearInterval(timer));
}

/** Whole lines as they come, one string per arrival; waits for its reader instead of keeping more than a window of bytes. */
class WatchStream implements AsyncIterator<string> {
  readonly #stream: ClientHttp2Stream;
  readonly #decoder = new TextDecoder();
  #text = '';
  #code = 0;
  #ended = false;
  #failure: unknown;
  #waiting: { resolve(result: IteratorResult<string>): void; reject(error: unknown): void } | undefined;

  constructor(stream: ClientHttp2Stream, request: ApiRequest) {
    this.#stream = stream;
    stream.on('response', (headers) => {
      this.#code = Number(headers[':status']);
    });
    stream.on('data', (chunk: Buffer) => {
      this.#text += this.#decoder.decode(chunk, { stream: true });
      if (this.#text.length > WINDOW_BYTES) stream.pause();
      this.#deliver();
    });
    stream.on('error', (error) => this.#end(apiUnavailable(subjectOf(request), error)));
    stream.on('close', () => {
      const whole = this.#code !== 0 && stream.rstCode === NO_ERROR;
      this.#end(whole ? undefined : apiUnavailable(subjectOf(request), new Error('the connection was closed')));
    });
  }

  next(): Promise<IteratorResult<string>> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#deliver();
    });
  }

  async return(): Promise<IteratorResult<string>> {
    this.#text = '';
    this.#end(undefined);
    this.#stream.close(CANCEL);
    return { done: true, value: undefined };
  }

  #end(failure: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#deliver();
  }

  #deliver(): void {
    if (!this.#waiting) return;
    const refused = this.#code >= 300;
    const lineEnd = refused ? -1 : this.#text.lastIndexOf('\n') + 1;
    const waiting = this.#waiting;
    if (lineEnd > 0) {
      const batch = this.#text.slice(0, lineEnd);
      this.#text = this.#text.slice(lineEnd);
      this.#waiting = undefined;
      if (this.#stream.isPaused()) this.#stream.resume();
      waiting.resolve({ done: false, value: batch });
    } else if (this.#ended) {
      this.#waiting = undefined;
      if (this.#failure !== undefined) waiting.reject(this.#failure);
      else if (refused) waiting.reject(errorOf({ code: this.#code, body: this.#text }));
      else waiting.resolve({ done: true, value: undefined });
      this.#failure = undefined;
      this.#code = 0;
    }
  }
}

function subjectOf(request: ApiRequest): string {
  return `${request.method} ${request.path}`;
}

/** `299 - "text"`, several joined by commas. */
function warningTexts(header: string | string[] | undefined): string[] | undefined {
  if (!header) return undefined;
  const texts: string[] = [];
  for (const line of Array.isArray(header) ? header : [header]) {
    for (const match of line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) texts.push((match[1] ?? '').replace(/\\(.)/g, '$1'));
  }
  return texts.length > 0 ? texts : undefined;
}

/** A token file is looked at once a second at most, and read only when it changed. */
function tokenSource({ token, tokenFile }: HttpsOptions): () => string | undefined {
  if (!tokenFile) return () => token;
  let current = token;
  let checkedAt = 0;
  let modifiedAt = 0;
  return () => {
    const now = Date.now();
    if (now - checkedAt < 1000) return current;
    checkedAt = now;
    const { mtimeMs } = statSync(tokenFile);
    if (mtimeMs !== modifiedAt) {
      modifiedAt = mtimeMs;
      current = readFileSync(tokenFile, 'utf8').trim();
    }
    return current;
  };
}
