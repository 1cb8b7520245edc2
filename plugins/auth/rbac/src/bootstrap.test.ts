import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bootstrapObjects } from './bootstrap.ts';
import type { Binding, Role } from './objects.ts';

const objects = bootstrapObjects({ gathered: true });
const find = (resource: string, name: string) => objects.find((one) => one.resource === resource && one.object.metadata.name === name)!;

describe('default policy', () => {
  it('is exactly the roles and bindings a 1.36 cluster starts with', () => {
    const canonical = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(canonical);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, canonical(item)]),
      );
    };
    const lines = objects
      .map(({ resource, object: { apiVersion: _v, kind: _k, ...rest } }) => `${resource} ${JSON.stringify(canonical(rest))}`)
      .sort();
    expect(lines).toHaveLength(70 + 51 + 6 + 1 + 6 + 1);
    // The digest of the same list as recorded from upstream's API server.
    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toBe(
      '79efdee19b9455ac23519fb0ff4c94b99a30d7c0c07f707b2c56586199dd1e8f',
    );
  });

  it('leaves the rules of aggregated roles to who gathers them', () => {
    const admin = bootstrapObjects().find(({ object }) => object.metadata.name === 'admin')!;
    expect((admin.object as Role).rules).toBeNull();
    expect(admin.reconcile({ ...admin.object, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] } as Role)).toBeUndefined();
  });

  it('gives back a rule that was taken from a default role, and keeps what was added', () => {
    const { object, reconcile } = find('clusterroles', 'system:basic-user');
    const added = { verbs: ['get'], apiGroups: ['x'], resources: ['y'] };
    const changed = { ...object, rules: [(object as Role).rules![0]!, added] };
    const rules = (reconcile(changed)!.object as Role).rules!;
    expect(rules).toContainEqual(added);
    expect(rules).toContainEqual({ verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] });
    expect(reconcile({ ...object, rules })).toBeUndefined();
  });

  it('leaves a role alone whose autoupdate annotation is false', () => {
    const { object, reconcile } = find('clusterroles', 'system:basic-user');
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
    expect(reconcile({ ...object, rules: [], metadata: { ...object.metadata, annotations } } as Role)).toBeUndefined();
  });

  it('makes a binding anew whose role was exchanged, and adds a subject that was removed', () => {
    const { object, reconcile } = find('clusterrolebindings', 'system:discovery');
    expect(reconcile({ ...object, roleRef: { ...(object as Binding).roleRef, name: 'view' } })?.recreate).toBe(true);
    expect((reconcile({ ...object, subjects: [] })!.object as Binding).subjects).toHaveLength(1);
    expect(reconcile(object)).toBeUndefined();
  });
});
