import type { UserInfo } from '@kubernel/sdk';
import { badTokenFile } from './errors.ts';

/**
 * A static token file: lines of `token,user,uid,"group1,group2"`, read once.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
 */
export function parseTokenFile(text: string, path: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const [token, name, uid, groups] = columnsOf(line);
    if (!token) throw badTokenFile(path, index + 1, 'the token is empty');
    if (!name) throw badTokenFile(path, index + 1, 'the user name is missing');
    if (uid === undefined) throw badTokenFile(path, index + 1, 'the uid is missing');
    if (users.has(token)) throw badTokenFile(path, index + 1, 'this token stands here twice');
    users.set(token, {
      name,
      ...(uid ? { uid } : {}),
      groups: (groups ?? '')
        .split(',')
        .map((group) => group.trim())
        .filter((group) => group !== ''),
    });
  });
  return users;
}

/** RFC 4180 without line breaks inside quotes. */
function columnsOf(line: string): string[] {
  const columns: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:\s*"((?:[^"]|"")*)"\s*|([^,]*))/g)) {
    columns.push(match[1] === undefined ? (match[2] ?? '').trim() : match[1].replaceAll('""', '"'));
  }
  return columns;
}
