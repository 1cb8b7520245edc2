import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiReader, Authenticator, ClusterSettings, UserInfo } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TokenConfig } from './index.ts';
import { createTokenAuthenticator } from './index.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
let dataDir: string;
let clock: number;
let objects: Map<string, KubeObject>;

const reader = {
  get: (_group: string, resource: string, namespace: string, name: string) => objects.get(`${resource}/${namespace}/${name}`),
} as unknown as ApiReader;
const account: KubeObject = { metadata: { name: 'bot', namespace: 'ns', uid: 'u-1' } };
const pod: KubeObject = { metadata: { name: 'web', namespace: 'ns', uid: 'p-1' }, spec: { serviceAccountName: 'bot', nodeName: 'n1' } };

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kubernel-token-'));
  clock = 1_700_000_000_000;
  objects = new Map([
    ['serviceaccounts/ns/bot', account],
    ['pods/ns/web', pod],
    ['nodes//n1', { metadata: { name: 'n1', uid: 'n-1' } }],
  ]);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function create(config: TokenConfig = {}): Authenticator {
  const plugin = createTokenAuthenticator({ config, dataDir, cluster: { clusterDomain: 'cluster.local' } as ClusterSettings }, () => clock);
  void plugin.init!(reader);
  return plugin;
}
async function use(plugin: Authenticator, token: string): Promise<UserInfo | string | null> {
  try {
    return await plugin.authenticate({ headers: { authorization: `Bearer ${token}` } });
  } catch (error) {
    return (error as Error).message;
  }
}
async function issue(plugin: Authenticator, spec: Record<string, unknown> = {}) {
  const answer = await plugin.tokens!.issue(account, { metadata: {}, spec });
  return { ...answer, token: (answer.status as { token: string }).token } as KubeObject & {
    token: string;
    spec: Record<string, unknown>;
    status: Record<string, unknown>;
  };
}

describe('service account tokens', () => {
  it('authenticate as their account, asynchronously once and synchronously from then on', async () => {
    const plugin = create();
    const { token, spec, status } = await issue(plugin);
    expect(spec).toMatchObject({ audiences: [ISSUER], expirationSeconds: 3600, boundObjectRef: null });
    expect(status.expirationTimestamp).toBe(new Date(clock + 3_600_000).toISOString().replace('.000Z', 'Z'));
    const user = await use(plugin, token);
    expect(user).toMatchObject({
      name: 'system:serviceaccount:ns:bot',
      uid: 'u-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
    });
    expect(plugin.authenticate({ headers: { authorization: `bearer ${token}` } })).toEqual(user);
  });

  it('expire, and end with the account or with another account of the same name', async () => {
    const plugin = create();
    const { token } = await issue(plugin);
    expect(await use(plugin, token)).toHaveProperty('name');
    objects.set('serviceaccounts/ns/bot', { metadata: { ...account.metadata, uid: 'u-2' } });
    expect(await use(plugin, token)).toContain('does not match claim');
    objects.delete('serviceaccounts/ns/bot');
    expect(await use(plugin, token)).toContain('not found');
    clock += 3_600_000;
    expect(await use(plugin, token)).toBe('[invalid bearer token, service account token has expired]');
  });

  it('bound to a pod name it and its node, and end with it', async () => {
    const plugin = create();
    const { token, spec } = await issue(plugin, {
      expirationSeconds: 3607,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' },
    });
    expect(spec).toMatchObject({ expirationSeconds: 3607, boundObjectRef: { uid: 'p-1' } });
    expect(await use(plugin, token)).toMatchObject({
      extra: {
        'authentication.kubernetes.io/pod-name': ['web'],
        'authentication.kubernetes.io/pod-uid': ['p-1'],
        'authentication.kubernetes.io/node-name': ['n1'],
        'authentication.kubernetes.io/node-uid': ['n-1'],
      },
    });
    clock += 30 * 86_400_000;
    expect(await use(plugin, token)).toHaveProperty('name');
    objects.delete('pods/ns/web');
    expect(await use(plugin, token)).toContain('has been invalidated');
  });

  it('are refused for another audience, with another key, and without a signature', async () => {
    const plugin = create();
    expect(await use(plugin, (await issue(plugin, { audiences: ['vault'] })).token)).toContain('invalid for the target audiences');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const forged = await new SignJWT({ 'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'bot', uid: 'u-1' } } })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(ISSUER)
      .setSubject('system:serviceaccount:ns:bot')
      .setAudience(ISSUER)
      .setExpirationTime(clock / 1000 + 999)
      .sign(privateKey);
    expect(await use(plugin, forged)).toContain('invalid bearer token');
    const parts = (await issue(plugin)).token.split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${parts[1]}.`;
    expect(await use(plugin, unsigned)).toContain('invalid bearer token');
    expect(await use(plugin, 'junk')).toBe('invalid bearer token');
  });

  it('verify by RSA keys too, and by an old public key that is kept', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    mkdirSync(join(dataDir, 'pki'));
    writeFileSync(join(dataDir, 'pki/sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { token } = await issue(create());
    const { privateKey: next, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const old = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
    writeFileSync(join(dataDir, 'pki/sa.key'), next.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(join(dataDir, 'pki/sa.pub'), `${publicKey.export({ type: 'spki', format: 'pem' })}${old}`);
    expect(await use(create(), token)).toHaveProperty('name');
    expect(create().tokens!.discovery().keys.keys).toHaveLength(2);
  });

  it('are signed with a key of mode 0600 that is made once', async () => {
    const { token } = await issue(create());
    expect(statSync(join(dataDir, 'pki/sa.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'pki/sa.pub'), 'utf8')).toContain('BEGIN PUBLIC KEY');
    expect(await use(create(), token)).toHaveProperty('name');
  });

  it('of the legacy kind are good while their secret holds them', async () => {
    const plugin = create();
    const token = await new SignJWT({
      'kubernetes.io/serviceaccount/namespace': 'ns',
      'kubernetes.io/serviceaccount/secret.name': 's',
      'kubernetes.io/serviceaccount/service-account.name': 'bot',
      'kubernetes.io/serviceaccount/service-account.uid': 'u-1',
    })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('kubernetes/serviceaccount')
      .setSubject('system:serviceaccount:ns:bot')
      .sign(createPrivateKey(readFileSync(join(dataDir, 'pki/sa.key'))));
    expect(await use(plugin, token)).toContain('has been invalidated');
    objects.set('secrets/ns/s', { metadata: { name: 's' }, data: { token: Buffer.from(token).toString('base64') } });
    expect(await use(plugin, token)).toMatchObject({ name: 'system:serviceaccount:ns:bot' });
  });
});

describe('TokenRequest', () => {
  it('refuses what upstream refuses, in its words', async () => {
    const plugin = create();
    const why = (spec: Record<string, unknown>) =>
      issue(plugin, spec).then(
        () => '',
        (error: Error) => error.message,
      );
    expect(await why({ expirationSeconds: 4_294_967_297 })).toBe(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    );
    expect(await why({ boundObjectRef: { kind: 'Foo', apiVersion: 'v1', name: 'x' } })).toBe(
      'cannot bind token to object of type /v1, Kind=Foo',
    );
    expect(await why({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'x' } })).toBe('pods "x" not found');
    expect(await why({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'other' } })).toContain(
      'does not match the UID in record',
    );
  });
});

describe('TokenReview', () => {
  it('answers who a token is, for which audiences, or why not', async () => {
    const plugin = create();
    const { token } = await issue(plugin, { audiences: ['vault', 'b'] });
    const review = (spec: Record<string, unknown>) => plugin.tokens!.review({ metadata: {}, spec });
    expect((await review({ token, audiences: ['vault'] })).status).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:ns:bot' },
      audiences: ['vault'],
    });
    expect((await review({ token: 'junk' })).status).toEqual({ user: {}, error: 'invalid bearer token' });
    await expect(review({})).rejects.toThrow('token is required for TokenReview in authentication');
  });
});

describe('other bearer tokens', () => {
  it('come from a file, with quoted groups', async () => {
    writeFileSync(join(dataDir, 'tokens.csv'), 'abc,ann,7,"devs,ops"\n\nxyz,bob,,\n');
    const plugin = create({ tokenFile: 'tokens.csv' });
    expect(await use(plugin, 'abc')).toEqual({ name: 'ann', uid: '7', groups: ['devs', 'ops'] });
    expect(await use(plugin, 'xyz')).toEqual({ name: 'bob', groups: [] });
    writeFileSync(join(dataDir, 'tokens.csv'), 'abc\n');
    expect(() => create({ tokenFile: 'tokens.csv' })).toThrow('tokens.csv:1: the user name is missing');
  });

  it('let a node join until they expire', async () => {
    const field = (text: string): string => Buffer.from(text).toString('base64');
    objects.set('secrets/kube-system/bootstrap-token-abcdef', {
      metadata: { name: 'bootstrap-token-abcdef' },
      type: 'bootstrap.kubernetes.io/token',
      data: {
        'token-id': field('abcdef'),
        'token-secret': field('0123456789abcdef'),
        'usage-bootstrap-authentication': field('true'),
        expiration: field(new Date(clock + 1000).toISOString()),
      },
    });
    const plugin = create();
    expect(await use(plugin, 'abcdef.0123456789abcdef')).toEqual({ name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers'] });
    expect(await use(plugin, 'abcdef.0123456789abcdee')).toBe('invalid bearer token');
    clock += 1000;
    expect(await use(plugin, 'abcdef.0123456789abcdef')).toBe('invalid bearer token');
  });

  it('arrive in a WebSocket subprotocol as well, and none is nobody here', async () => {
    const plugin = create();
    const { token } = await issue(plugin);
    const protocol = `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
    expect(await plugin.authenticate({ headers: { 'sec-websocket-protocol': protocol } })).toHaveProperty('name');
    expect(plugin.authenticate({ headers: {} })).toBeNull();
    expect(plugin.authenticate({ headers: { authorization: 'Basic abc' } })).toBeNull();
  });
});
