import type { CelEnvironment } from './engine.ts';

class CelUrl {
  readonly url: URL | undefined;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
    this.url = text.startsWith('/') ? undefined : new URL(text);
  }
}

/** Kubernetes' URL library. */
export function registerUrls(environment: CelEnvironment): void {
  const add = (signature: string, handler: (...given: never[]) => unknown): unknown =>
    environment.registerFunction(signature, handler as never);
  environment.registerType('URL', CelUrl as never);
  add('isURL(string): bool', (text: string) => isUrl(text));
  add('url(string): URL', (text: string) => {
    if (!isUrl(text))
      throw new Error(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`);
    return new CelUrl(text);
  });
  add('URL.getScheme(): string', ({ url }: CelUrl) => url?.protocol.slice(0, -1) ?? '');
  add('URL.getHost(): string', ({ url }: CelUrl) => url?.host ?? '');
  add('URL.getHostname(): string', ({ url }: CelUrl) => url?.hostname.replace(/^\[|\]$/g, '') ?? '');
  add('URL.getPort(): string', ({ url }: CelUrl) => url?.port ?? '');
  add('URL.getEscapedPath(): string', ({ url, text }: CelUrl) =>
    url ? (text.endsWith('/') || url.pathname !== '/' ? url.pathname : '') : (text.split(/[?#]/)[0] ?? ''),
  );
  add('URL.getQuery(): map', ({ url, text }: CelUrl) => queryOf(url ?? new URL(text, 'http://none')));
}

function isUrl(text: string): boolean {
  if (/[\s]/.test(text)) return false;
  return text.startsWith('/') || (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text));
}

function queryOf(url: URL): Record<string, string[]> {
  const query: Record<string, string[]> = {};
  for (const key of url.searchParams.keys()) query[key] = url.searchParams.getAll(key);
  return query;
}
