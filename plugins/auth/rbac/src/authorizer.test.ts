import type { AdmissionAttributes, ApiReader, Authorizer, AuthzAttributes, UserInfo } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { mastersAuthorizer, rbacAuthorizer } from './authorizer.ts';
import { escalationCheck } from './escalation.ts';

/** Holds objects and tells of changes, as the API server's cache does. */
class FakeCache {
  readonly objects = new Map<string, Map<string, KubeObject>>();
  readonly listeners = new Map<string, ((type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void)[]>();
  authorizer: Authorizer | undefined;

  readonly reader = {
    list: (_group: string, resource: string) => [...(this.objects.get(resource)?.values() ?? [])],
    onChange: (_group: string, resource: string, listener: never) => {
      this.listeners.set(resource, [...(this.listeners.get(resource) ?? []), listener]);
      return () => {};
    },
    authorize: async (attributes: AuthzAttributes) => this.authorizer!.authorize(attributes),
  } as unknown as ApiReader;

  put(resource: string, object: Record<string, unknown> & { metadata: KubeObject['metadata'] }, type: 'ADDED' | 'DELETED' = 'ADDED'): void {
    const map = this.objects.get(resource) ?? new Map<string, KubeObject>();
    this.objects.set(resource, map);
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (type === 'DELETED') map.delete(key);
    else map.set(key, object);
    for (const listener of this.listeners.get(resource) ?? []) listener(type, object);
  }
}

let cache: FakeCache;
let rbac: Authorizer;
const ann: UserInfo = { name: 'ann', groups: ['devs', 'system:authenticated'] };

beforeEach(() => {
  cache = new FakeCache();
  rbac = rbacAuthorizer();
  cache.authorizer = rbac;
  void rbac.init!(cache.reader);
});

function ask(verb: string, resource: string, more: Partial<AuthzAttributes> = {}, user = ann) {
  const [name = '', subresource = ''] = resource.split('/');
  const attributes = {
    user,
    verb,
    resourceRequest: true,
    group: '',
    version: 'v1',
    resource: name,
    subresource,
    namespace: 'ns',
    name: '',
    path: '',
  };
  return rbac.authorize({ ...attributes, ...more }) as { decision: string; reason?: string };
}

function role(name: string, rules: unknown[], namespace = 'ns'): void {
  cache.put(namespace ? 'roles' : 'clusterroles', { metadata: { name, ...(namespace ? { namespace } : {}) }, rules });
}
function bind(name: string, kind: string, roleName: string, subject: Record<string, string>, namespace = 'ns'): void {
  cache.put(namespace ? 'rolebindings' : 'clusterrolebindings', {
    metadata: { name, ...(namespace ? { namespace } : {}) },
    subjects: [subject],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName },
  });
}

describe('rbac', () => {
  it('allows what a role binding grants, there and nowhere else, and says by what', () => {
    role('r', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]);
    bind('b', 'Role', 'r', { kind: 'User', name: 'ann' });
    expect(ask('get', 'pods')).toEqual({ decision: 'allow', reason: 'RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "ann"' });
    expect(ask('get', 'pods', { namespace: 'other' }).decision).toBe('no-opinion');
    expect(ask('list', 'pods').decision).toBe('no-opinion');
    expect(ask('get', 'pods/log').decision).toBe('no-opinion');
  });

  it('forgets a decision as soon as the binding or the role changes', () => {
    role('r', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]);
    bind('b', 'Role', 'r', { kind: 'Group', name: 'devs' });
    expect(ask('delete', 'pods').decision).toBe('allow');
    role('r', []);
    expect(ask('delete', 'pods').decision).toBe('no-opinion');
    role('r', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]);
    bind('b', 'Role', 'r', { kind: 'Group', name: 'others' });
    expect(ask('delete', 'pods').decision).toBe('no-opinion');
  });

  it('matches every resource with a subresource by */scale, and names by resourceNames', () => {
    role(
      'r',
      [
        { verbs: ['update'], apiGroups: ['apps'], resources: ['*/scale'] },
        { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'] },
      ],
      '',
    );
    bind('b', 'ClusterRole', 'r', { kind: 'ServiceAccount', name: 'bot', namespace: 'ns' }, '');
    const bot = { name: 'system:serviceaccount:ns:bot', groups: [] };
    expect(ask('update', 'deployments/scale', { group: 'apps' }, bot).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to ServiceAccount "bot/ns"',
    );
    expect(ask('update', 'deployments', { group: 'apps' }, bot).decision).toBe('no-opinion');
    expect(ask('get', 'secrets', { name: 'mine' }, bot).decision).toBe('allow');
    expect(ask('get', 'secrets', { name: 'other' }, bot).decision).toBe('no-opinion');
    expect(ask('list', 'secrets', {}, bot).decision).toBe('no-opinion');
  });

  it('matches non-resource paths by a trailing star', () => {
    role('r', [{ verbs: ['get'], nonResourceURLs: ['/logs/*', '/version'] }], '');
    bind('b', 'ClusterRole', 'r', { kind: 'Group', name: 'devs' }, '');
    const path = (value: string) => ask('get', '', { resourceRequest: false, namespace: '', path: value }).decision;
    expect([path('/version'), path('/logs/a/b'), path('/versions'), path('/logs')]).toEqual(['allow', 'allow', 'no-opinion', 'no-opinion']);
  });

  it('names the missing role of a binding that would apply', () => {
    bind('b', 'Role', 'nope', { kind: 'User', name: 'ann' });
    expect(ask('get', 'configmaps').reason).toBe('RBAC: role.rbac.authorization.k8s.io "nope" not found');
  });

  it('lists the rules of a user for SelfSubjectRulesReview', () => {
    role(
      'r',
      [
        { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
        { verbs: ['get'], nonResourceURLs: ['/version'] },
      ],
      '',
    );
    bind('b', 'ClusterRole', 'r', { kind: 'User', name: 'ann' }, '');
    expect(rbac.rulesFor!(ann, 'ns')).toEqual({
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/version'] }],
    });
  });
});

describe('masters', () => {
  it('may do everything', () => {
    const attributes = { user: { name: 'root', groups: ['system:masters'] } } as AuthzAttributes;
    expect(mastersAuthorizer().authorize(attributes)).toEqual({ decision: 'allow' });
  });
});

describe('escalation', () => {
  const write = async (resource: string, object: Record<string, unknown>, oldObject?: Record<string, unknown>): Promise<string> => {
    const check = escalationCheck();
    await check.init!(cache.reader);
    const attributes = {
      operation: oldObject ? 'UPDATE' : 'CREATE',
      user: ann,
      group: 'rbac.authorization.k8s.io',
      resource,
      subresource: '',
      namespace: 'ns',
      name: 'e',
      object: { metadata: { name: 'e', namespace: 'ns' }, ...object },
      oldObject: oldObject && { metadata: { name: 'e' }, ...oldObject },
    } as unknown as AdmissionAttributes;
    try {
      await check.admit!(attributes);
      return 'allowed';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const refer = (kind: string, name: string) => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name } });

  beforeEach(() => {
    role('r', [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }]);
    bind('b', 'Role', 'r', { kind: 'User', name: 'ann' });
  });

  it('refuses a role that grants more than its author holds, and lists what is missing', async () => {
    const rules = [
      { verbs: ['get', 'delete', 'list'], apiGroups: [''], resources: ['secrets'] },
      { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'] },
    ];
    expect(await write('roles', { rules })).toBe(
      'roles.rbac.authorization.k8s.io "e" is forbidden: user "ann" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["secrets"], Verbs:["delete" "list"]}\n{APIGroups:["apps"], Resources:["deployments"], Verbs:["*"]}',
    );
    expect(await write('roles', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }] })).toBe('allowed');
    expect(await write('roles', { rules }, { rules })).toBe('allowed');
  });

  it('lets through who may escalate', async () => {
    role('r', [{ verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] }]);
    expect(await write('roles', { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] })).toBe('allowed');
  });

  it('refuses a binding to a role its author does not hold, unless they may bind it', async () => {
    role('big', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], '');
    expect(await write('rolebindings', refer('ClusterRole', 'big'))).toContain('{APIGroups:["*"], Resources:["*"], Verbs:["*"]}');
    role('r', [{ verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['big'] }]);
    expect(await write('rolebindings', refer('ClusterRole', 'big'))).toBe('allowed');
    expect(await write('rolebindings', refer('Role', 'none'))).toBe('role.rbac.authorization.k8s.io "none" not found');
  });
});
