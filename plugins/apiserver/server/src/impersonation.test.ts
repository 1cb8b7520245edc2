import { describe, expect, it } from 'vitest';
import { impersonationOf } from './impersonation.ts';

const real = { name: 'admin', groups: [] };
const checks = (headers: [string, string][]) =>
  impersonationOf(real, headers)?.checks.map(({ resource, subresource, namespace, name }) =>
    [resource, subresource, namespace, name].filter((part) => part !== '').join('/'),
  );

describe('impersonation', () => {
  it('is not asked for without headers, or with an empty user', () => {
    expect(
      impersonationOf(real, [
        ['accept', '*/*'],
        ['impersonate-user', ''],
      ]),
    ).toBeUndefined();
  });

  it('needs a permission for the user, each group, each extra value and the uid', () => {
    const headers: [string, string][] = [
      ['Impersonate-User', 'q'],
      ['Impersonate-Uid', '77'],
      ['Impersonate-Extra-foo%2Fx', 'bar'],
      ['Impersonate-Group', 'a,b'],
      ['Impersonate-Group', 'g'],
    ];
    expect(checks(headers)).toEqual(['users/q', 'groups/a,b', 'groups/g', 'userextras/foo/x/bar', 'uids/77']);
    expect(impersonationOf(real, headers)?.user).toEqual({
      name: 'q',
      uid: '77',
      groups: ['a,b', 'g', 'system:authenticated'],
      extra: { 'foo/x': ['bar'] },
    });
  });

  it('of a service account is one of that account, with its groups', () => {
    const headers: [string, string][] = [['impersonate-user', 'system:serviceaccount:ns:bot']];
    expect(checks(headers)).toEqual(['serviceaccounts/ns/bot']);
    expect(impersonationOf(real, headers)?.user.groups).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
      'system:authenticated',
    ]);
    expect(checks([['impersonate-user', 'system:serviceaccount:x']])).toEqual(['users/system:serviceaccount:x']);
  });

  it('without a user is a bad request that shows what was asked', () => {
    expect(() => impersonationOf(real, [['impersonate-group', 'g']])).toThrow(
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    );
    expect(() => impersonationOf(real, [['impersonate-extra-a', '1']])).toThrow(
      'Groups:[]string(nil), Extra:map[string][]string{"a":[]string{"1"}}}',
    );
  });
});
