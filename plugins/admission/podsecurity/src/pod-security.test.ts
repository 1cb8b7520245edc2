import type { KubeObject } from '@kubernel/sdk/api';
import { admissionRequest, MemoryReader } from '@kubernel/sdk/testing';
import { describe, expect, it } from 'vitest';
import type { Level } from './checks.ts';
import { violationsOf } from './checks.ts';
import type { Container, PodSpec } from './pod.ts';
import { podSecurity } from './pod-security.ts';
import { sentence } from './wording.ts';

const judge = (level: Level, spec: PodSpec, minor = Infinity, annotations = {}): string =>
  sentence(violationsOf({ metadata: { annotations }, spec }, { level, minor }));
const one = (container: Partial<Container>): PodSpec => ({ containers: [{ name: 'c', ...container }] });
const hardened = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('the baseline profile', () => {
  it("forbids each way out of the container, in upstream's words", () => {
    const cases: [PodSpec, string][] = [
      [one({ securityContext: { privileged: true } }), 'privileged (container "c" must not set securityContext.privileged=true)'],
      [{ ...one({}), hostPID: true, hostIPC: true }, 'host namespaces (hostPID=true, hostIPC=true)'],
      [{ ...one({}), volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "v")'],
      [one({ ports: [{ hostPort: 1 }] }), 'hostPort (container "c" uses hostPort 1)'],
      [
        one({ securityContext: { capabilities: { add: ['SYS_ADMIN', 'NET_RAW', 'CHOWN'] } } }),
        'non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
      ],
      [
        { ...one({}), securityContext: { seccompProfile: { type: 'Unconfined' } } },
        'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
      ],
      [
        one({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
        'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
      ],
      [
        one({ securityContext: { seLinuxOptions: { type: 'x', user: 'u' } } }),
        'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set)',
      ],
      [{ ...one({}), securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
      [
        {
          containers: [
            { name: 'a', securityContext: { privileged: true } },
            { name: 'b', securityContext: { privileged: true } },
          ],
        },
        'privileged (containers "a", "b" must not set securityContext.privileged=true)',
      ],
    ];
    for (const [spec, text] of cases) expect(judge('baseline', spec)).toBe(text);
    expect(judge('baseline', one({}))).toBe('');
    expect(judge('privileged', one({ securityContext: { privileged: true } }))).toBe('');
  });
});

describe('the restricted profile', () => {
  it('asks for hardening on top', () => {
    expect(judge('restricted', one({ securityContext: hardened }))).toBe('');
    expect(judge('restricted', one({}))).toBe(
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
    expect(judge('restricted', one({ securityContext: { ...hardened, runAsUser: 0 } }))).toBe(
      'runAsUser=0 (container "c" must not set runAsUser=0)',
    );
    expect(judge('restricted', { ...one({ securityContext: hardened }), volumes: [{ name: 'v', nfs: {} }] })).toBe(
      'restricted volume types (volume "v" uses restricted volume type "nfs")',
    );
  });

  it('is as it was in the version asked for, and lenient with Windows', () => {
    expect(judge('restricted', one({}), 18)).toBe(
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
    );
    expect(judge('restricted', { ...one({ securityContext: { runAsNonRoot: true } }), os: { name: 'windows' } })).toBe('');
  });
});

describe('pod-security', () => {
  async function run(labels: Record<string, string>, request: Parameters<typeof admissionRequest>[0], config = {}) {
    const reader = new MemoryReader();
    reader.put('/namespaces', { metadata: { name: 'ns', labels } });
    reader.put('/pods', { metadata: { name: 'old', namespace: 'ns' }, spec: one({ securityContext: { privileged: true } }) });
    reader.put('/pods', { metadata: { name: 'older', namespace: 'ns' }, spec: one({ securityContext: { privileged: true } }) });
    const plugin = podSecurity(config);
    await plugin.init?.(reader);
    const attributes = admissionRequest(request);
    try {
      await plugin.validate?.(attributes);
      return { error: '', ...attributes };
    } catch (error) {
      return { ...attributes, error: (error as Error).message };
    }
  }
  const bad: KubeObject = { metadata: { name: 'x' }, spec: one({ securityContext: { privileged: true } }) };
  const label = (mode: string, level: string): Record<string, string> => ({ [`pod-security.kubernetes.io/${mode}`]: level });

  it('refuses pods where it enforces, warns where it warns, and exempts', async () => {
    expect((await run(label('enforce', 'baseline'), { object: bad })).error).toBe(
      'pods "x" is forbidden: violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)',
    );
    const warned = await run(label('warn', 'baseline'), { object: bad });
    expect([warned.error, warned.warnings]).toEqual([
      '',
      ['would violate PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)'],
    ]);
    expect((await run(label('enforce', 'baseline'), { object: bad }, { exemptions: { namespaces: ['ns'] } })).error).toBe('');
  });

  it('only warns of what makes pods', async () => {
    const deployment = { metadata: { name: 'd' }, spec: { template: bad } };
    const result = await run(
      { ...label('enforce', 'baseline'), ...label('warn', 'baseline') },
      { group: 'apps', resource: 'deployments', object: deployment },
    );
    expect([result.error, result.warnings.length]).toEqual(['', 1]);
  });

  it('looks at an update only when containers or images change', async () => {
    const labelled = { ...bad, metadata: { name: 'x', labels: { a: 'b' } } };
    expect((await run(label('enforce', 'baseline'), { object: labelled, oldObject: bad })).error).toBe('');
    const changed = { ...bad, spec: one({ image: 'n', securityContext: { privileged: true } }) };
    expect((await run(label('enforce', 'baseline'), { object: changed, oldObject: bad })).error).toContain('violates');
  });

  it('warns of pods that violate a raised level, and refuses a level that is none', async () => {
    const namespace = (labels: Record<string, string>): KubeObject => ({ metadata: { name: 'ns', labels } });
    const request = { resource: 'namespaces', namespace: 'ns', oldObject: namespace({}) };
    expect((await run({}, { ...request, object: namespace(label('enforce', 'baseline')) })).warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      'old (and 1 other pod): privileged',
    ]);
    expect((await run({}, { ...request, object: namespace(label('enforce', 'foo')) })).error).toBe(
      'Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "foo": must be one of privileged, baseline, restricted',
    );
  });
});
