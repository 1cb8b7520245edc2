/** The restricted profile: what hardening advises. https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
import type { Check } from './checks.ts';
import type { Container, SecurityContext } from './pod.ts';
import { containersOf } from './pod.ts';
import { containers, distinct, plural, quoted, setters } from './wording.ts';

const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const SECCOMP = ['RuntimeDefault', 'Localhost'];

export const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    since: 8,
    windowsExemptSince: 25,
    check({ spec }) {
      const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
      return bad.length > 0
        ? {
            reason: 'allowPrivilegeEscalation != false',
            detail: `${containers(bad)} must set securityContext.allowPrivilegeEscalation=false`,
          }
        : undefined;
    },
  },
  {
    id: 'capabilities_restricted',
    since: 22,
    windowsExemptSince: 25,
    replaces: 'capabilities_baseline',
    check({ spec }) {
      const added = ({ securityContext }: Container): string[] =>
        (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
      const undropped = containersOf(spec).filter(({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
      const adding = containersOf(spec).filter((container) => added(container).length > 0);
      if (undropped.length === 0 && adding.length === 0) return undefined;
      const details = [
        ...(undropped.length > 0 ? [`${containers(undropped)} must set securityContext.capabilities.drop=["ALL"]`] : []),
        ...(adding.length > 0
          ? [`${containers(adding)} must not include ${quoted(distinct(adding.flatMap(added)))} in securityContext.capabilities.add`]
          : []),
      ];
      return { reason: 'unrestricted capabilities', detail: details.join('; ') };
    },
  },
  {
    id: 'restrictedVolumes',
    since: 0,
    replaces: 'hostPathVolumes',
    check({ spec }) {
      const typeOf = (volume: Record<string, unknown>): string =>
        Object.keys(volume).find((key) => key !== 'name' && volume[key] !== undefined) ?? 'unknown';
      const bad = (spec.volumes ?? []).filter((volume) => !VOLUMES.has(typeOf(volume)));
      if (bad.length === 0) return undefined;
      const types = distinct(bad.map(typeOf));
      const volumes = `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => String(name)))}`;
      return {
        reason: 'restricted volume types',
        detail: `${volumes} ${plural('uses', 'use', bad.length)} restricted volume ${plural('type', 'types', types.length)} ${quoted(types)}`,
      };
    },
  },
  {
    id: 'runAsNonRoot',
    since: 0,
    check({ spec }) {
      const reason = 'runAsNonRoot != true';
      const pod = spec.securityContext?.runAsNonRoot;
      const explicit = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsNonRoot === false);
      if (pod === false || explicit.length > 0)
        return { reason, detail: `${setters(pod === false, explicit)} must not set securityContext.runAsNonRoot=false` };
      const silent = pod ? [] : containersOf(spec).filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
      return silent.length > 0 ? { reason, detail: `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true` } : undefined;
    },
  },
  {
    id: 'runAsUser',
    since: 23,
    check({ spec }) {
      const pod = spec.securityContext?.runAsUser === 0;
      const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsUser === 0);
      return pod || bad.length > 0 ? { reason: 'runAsUser=0', detail: `${setters(pod, bad)} must not set runAsUser=0` } : undefined;
    },
  },
  {
    id: 'seccompProfile_restricted',
    since: 19,
    windowsExemptSince: 25,
    replaces: 'seccompProfile_baseline',
    check({ spec }) {
      const typeOf = (context: SecurityContext | undefined): string | undefined =>
        context?.seccompProfile && (context.seccompProfile.type ?? '');
      const bad = (type: string | undefined): boolean => type !== undefined && !SECCOMP.includes(type);
      const own = typeOf(spec.securityContext);
      const explicit = containersOf(spec).filter(({ securityContext }) => bad(typeOf(securityContext)));
      if (bad(own) || explicit.length > 0) {
        const types = distinct([
          ...(bad(own) ? [own as string] : []),
          ...explicit.map(({ securityContext }) => typeOf(securityContext) ?? ''),
        ]);
        return {
          reason: 'seccompProfile',
          detail: `${setters(bad(own), explicit)} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
        };
      }
      const silent = own === undefined ? containersOf(spec).filter(({ securityContext }) => typeOf(securityContext) === undefined) : [];
      if (silent.length === 0) return undefined;
      return {
        reason: 'seccompProfile',
        detail: `pod or ${containers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      };
    },
  },
];
