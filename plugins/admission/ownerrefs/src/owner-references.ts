import type { Admission, AdmissionAttributes, ApiReader, AuthzAttributes } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { OwnerReference } from '@kubernel/sdk/api';

/**
 * Setting an owner is a way to delete later, and blocking an owner's deletion a way to hold it: both need the permission.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement
 */
export function ownerReferencesPermission(): Admission {
  let reader: ApiReader;

  const refused = async (attributes: AuthzAttributes): Promise<string | undefined> => {
    const { decision, reason = '' } = await reader.authorize(attributes);
    return decision === 'allow' ? undefined : `${reason}, <nil>`;
  };

  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      (operation === 'CREATE' || operation === 'UPDATE') && !(group === '' && resource === 'pods' && subresource === 'status'),
    async validate(attributes) {
      const { user, group, version, resource, subresource, namespace, name } = attributes;
      const now = attributes.object?.metadata.ownerReferences ?? [];
      const before = attributes.oldObject?.metadata.ownerReferences ?? [];
      if (JSON.stringify(now) === JSON.stringify(before)) return;
      if (attributes.operation !== 'CREATE') {
        const why = await refused({
          user,
          verb: 'delete',
          resourceRequest: true,
          group,
          version,
          resource,
          subresource,
          namespace,
          name,
          path: '',
        });
        if (why !== undefined) throw admissionDenied(attributes, `cannot set an ownerRef on a resource you can't delete: ${why}`);
      }
      for (const owner of newlyBlocking(now, before)) {
        const why = await refused(finalizersOf(owner, attributes, reader));
        if (why !== undefined)
          throw admissionDenied(
            attributes,
            `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${why}`,
          );
      }
    },
  };
}

function newlyBlocking(now: readonly OwnerReference[], before: readonly OwnerReference[]): OwnerReference[] {
  const held = new Set(before.filter(({ blockOwnerDeletion }) => blockOwnerDeletion).map(({ uid }) => uid));
  return now.filter(({ blockOwnerDeletion, uid }) => blockOwnerDeletion && !held.has(uid));
}

function finalizersOf(owner: OwnerReference, { user, namespace }: AdmissionAttributes, reader: ApiReader): AuthzAttributes {
  const slash = owner.apiVersion.indexOf('/');
  const [group, version] = slash < 0 ? ['', owner.apiVersion] : [owner.apiVersion.slice(0, slash), owner.apiVersion.slice(slash + 1)];
  const known = reader.resourceOf?.(owner.apiVersion, owner.kind);
  return {
    user,
    verb: 'update',
    resourceRequest: true,
    group,
    version,
    resource: known?.resource ?? pluralOf(owner.kind),
    subresource: 'finalizers',
    namespace: known?.namespaced === false ? '' : namespace,
    name: owner.name,
    path: '',
  };
}

/** The usual plural of a kind, for readers that cannot say. */
function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (/(s|x|z|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}
