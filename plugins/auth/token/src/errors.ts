import { KubernelError, StatusError } from '@kubernel/sdk';

/** ERR_TOKEN_INVALID: a bearer token was shown and nobody here accepts it. */
export function invalidToken(reason = ''): KubernelError {
  return new KubernelError('ERR_TOKEN_INVALID', reason ? `[invalid bearer token, ${reason}]` : 'invalid bearer token', {
    hint: 'ask for a new token (kubectl create token), or check that its service account and pod still exist',
  });
}

/** ERR_TOKEN_KEYS: the signing keys of service account tokens cannot be used. */
export function unusableKeys(path: string, why: string, cause?: unknown): KubernelError {
  return new KubernelError('ERR_TOKEN_KEYS', `service account keys at ${path} cannot be used: ${why}`, {
    subject: path,
    hint: 'restore the key from a backup, or remove both sa.key and sa.pub to make new ones (all tokens issued so far become invalid)',
    cause,
  });
}

/** ERR_TOKEN_FILE: a line of the static token file is malformed. */
export function badTokenFile(path: string, line: number, why: string): KubernelError {
  return new KubernelError('ERR_TOKEN_FILE', `${path}:${line}: ${why}`, {
    subject: path,
    hint: 'each line is: token,user,uid,"group1,group2"',
  });
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}
