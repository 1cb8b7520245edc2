import { badRequest } from './status.ts';

/** Where a paged list goes on: the revision all its pages are read at, and the last key given, relative to the list's prefix. */
export interface ContinueToken {
  revision: number;
  /** The next page starts after this key. */
  after: string;
}

/** The token is a JSON document in base64url, as upstream's, so that malformed ones are refused in the same words. */
export function encodeContinue(token: ContinueToken): string {
  const document = JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: `${token.after}\0` });
  return Buffer.from(document).toString('base64url');
}

export function decodeContinue(text: string): ContinueToken {
  const refuse = (why: string): Error => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    const at = [...text].findIndex((char) => !/[A-Za-z0-9_-]/.test(char));
    throw refuse(`illegal base64 data at input byte ${at < 0 ? text.length - 1 : at}`);
  }
  // As Go prints the first offending byte: as the character of that code, whatever the encoding.
  const bytes = Buffer.from(text, 'base64url');
  let document: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    const first = bytes[0];
    throw refuse(
      first === undefined
        ? 'unexpected end of JSON input'
        : `invalid character '${String.fromCharCode(first)}' looking for beginning of value`,
    );
  }
  if (document?.v !== 'meta.k8s.io/v1') throw refuse(`server does not recognize this encoded version ${JSON.stringify(document?.v ?? '')}`);
  if (typeof document.rv !== 'number' || document.rv === 0)
    throw refuse('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof document.start !== 'string' || document.start === '') throw refuse('encoded start key empty (version meta.k8s.io/v1)');
  if (document.start.split('/').includes('..'))
    throw badRequest('invalid continue token: continue key is not valid: invalid encoded start key');
  return { revision: document.rv, after: document.start.replace(/\0$/, '') };
}
