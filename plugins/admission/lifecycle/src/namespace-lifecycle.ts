import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied, StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/**
 * Nothing is created in a namespace that is not there or is being deleted, and the cluster's own namespaces stay.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
 */
export function namespaceLifecycle(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      operation === 'DELETE'
        ? group === '' && resource === 'namespaces' && subresource === ''
        : operation !== 'CONNECT' && !(group === '' && resource === 'namespaces') && resource !== 'localsubjectaccessreviews',
    admit(attributes) {
      if (attributes.operation === 'DELETE') {
        if (IMMORTAL.has(attributes.name)) throw admissionDenied(attributes, 'this namespace may not be deleted');
        return;
      }
      const { namespace } = attributes;
      if (namespace === '') return;
      const found = reader.get('', 'namespaces', '', namespace);
      if (found) return checkPhase(attributes, found);
      // It may have been created a moment ago.
      return Promise.resolve(reader.fresh?.()).then(() => {
        const now = reader.get('', 'namespaces', '', namespace);
        if (!now)
          throw new StatusError(404, 'NotFound', `namespaces ${JSON.stringify(namespace)} not found`, {
            name: namespace,
            kind: 'namespaces',
          });
        checkPhase(attributes, now);
      });
    },
  };
}

function checkPhase(attributes: AdmissionAttributes, namespace: KubeObject & { status?: { phase?: string } }): void {
  if (attributes.operation !== 'CREATE' || namespace.status?.phase !== 'Terminating') return;
  const name = attributes.namespace;
  const denied = admissionDenied(attributes, `unable to create new content in namespace ${name} because it is being terminated`);
  const causes = [{ reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' }];
  denied.status.details = { ...denied.status.details, causes };
  throw denied;
}
