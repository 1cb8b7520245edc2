import { expect, test } from 'vitest';
import { Query } from './query.ts';
import { parseRequestInfo } from './request-info.ts';

test.each([
  ['GET', '/api/v1/pods', { verb: 'list', version: 'v1', resource: 'pods', namespace: '', name: '' }],
  ['GET', '/api/v1/namespaces/a/pods/b', { verb: 'get', namespace: 'a', resource: 'pods', name: 'b' }],
  ['GET', '/api/v1/namespaces/a/pods/b/', { verb: 'get', name: 'b' }],
  ['PUT', '/api/v1/namespaces/a/pods/b/status', { verb: 'update', name: 'b', subresource: 'status' }],
  ['GET', '/api/v1/namespaces/a', { verb: 'get', namespace: 'a', resource: 'namespaces', name: 'a' }],
  ['PUT', '/api/v1/namespaces/a/finalize', { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'finalize' }],
  ['POST', '/apis/apps/v1/namespaces/a/deployments', { verb: 'create', group: 'apps', version: 'v1', resource: 'deployments' }],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', { verb: 'deletecollection' }],
  ['GET', '/api/v1/watch/namespaces/a/pods/b', { verb: 'watch', namespace: 'a', resource: 'pods', name: 'b' }],
  [
    'GET',
    '/api/v1/namespaces/a/services/https:b:80/proxy/c/d?',
    { resource: 'services', name: 'https:b:80', subresource: 'proxy', rest: 'c/d?' },
  ],
  ['GET', '/api/v1/namespaces/a/configmaps/%61b', { name: 'ab' }],
  ['GET', '/api/v1/namespaces/a/pods/b/log/x', { extra: true }],
  ['GET', '/apis/apps/v1', { resourceRequest: false, verb: 'get' }],
  ['GET', '/healthz', { resourceRequest: false, verb: 'get' }],
])('%s %s is read as upstream reads it', (method, path, expected) => {
  expect(parseRequestInfo(method, path)).toMatchObject(expected);
});

test('a query drops what Go drops: pairs with semicolons and malformed escapes', () => {
  const query = new Query('a=1&b=%zz&c=x;y&d=a+b&e&a=2');
  expect(query.all('a')).toEqual(['1', '2']);
  expect([query.has('b'), query.has('c'), query.get('d'), query.get('e')]).toEqual([false, false, 'a b', '']);
  expect([query.flag('e'), new Query('e=False').flag('e'), new Query('e=0').flag('e'), query.flag('missing')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
