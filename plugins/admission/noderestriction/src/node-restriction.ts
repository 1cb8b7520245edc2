import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied, StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { checkMirrorPod } from './mirror-pod.ts';
import { changedLabels, forbiddenLabels } from './node-labels.ts';

const PREFIX = 'system:node:';

interface Pod extends KubeObject {
  spec?: { nodeName?: string };
}
interface Node extends KubeObject {
  spec?: { taints?: unknown[]; configSource?: unknown };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction */
export function nodeRestriction(): Admission {
  let reader: ApiReader;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource) =>
      operation !== 'CONNECT' &&
      [
        '/pods',
        '/nodes',
        '/persistentvolumeclaims',
        '/serviceaccounts',
        'coordination.k8s.io/leases',
        'storage.k8s.io/csinodes',
        'resource.k8s.io/resourceslices',
      ].includes(`${group}/${resource}`),
    admit(attributes) {
      const { user, resource, subresource } = attributes;
      if (!user.name.startsWith(PREFIX) || !user.groups.includes('system:nodes')) return;
      const node = user.name.slice(PREFIX.length);
      if (node === '') throw admissionDenied(attributes, `could not determine node from user ${JSON.stringify(user.name)}`);
      switch (resource) {
        case 'pods':
          if (subresource === '') return checkPod(attributes, node, reader);
          if (subresource === 'status') return checkPodStatus(attributes, node);
          if (subresource === 'eviction') return checkEviction(attributes, node, reader);
          throw admissionDenied(
            attributes,
            `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
          );
        case 'nodes':
          return checkNode(attributes, node);
        case 'persistentvolumeclaims':
          if (subresource === 'status') return;
          throw admissionDenied(attributes, `may only update PVC status`);
        case 'serviceaccounts':
          return subresource === 'token' ? checkToken(attributes, node, reader) : undefined;
        case 'leases':
          return checkNamed(attributes, node, `can only access node lease with the same name as the requesting node`, 'kube-node-lease');
        case 'csinodes':
          return checkNamed(attributes, node, `can only access CSINode with the same name as the requesting node`);
        default:
          return checkSlice(attributes, node);
      }
    },
  };
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function checkPod(attributes: AdmissionAttributes, node: string, reader: ApiReader): void {
  if (attributes.operation === 'CREATE') return checkMirrorPod(attributes, node, reader);
  if (attributes.operation !== 'DELETE')
    throw admissionDenied(
      attributes,
      `unexpected operation ${quote(attributes.operation)}, node ${quote(node)} can only create and delete mirror pods`,
    );
  if (existingPod(attributes, reader).spec?.nodeName !== node)
    throw admissionDenied(attributes, `node ${quote(node)} can only delete pods with spec.nodeName set to itself`);
}

function existingPod({ namespace, name, oldObject }: AdmissionAttributes, reader: ApiReader): Pod {
  const pod = (oldObject as Pod | undefined) ?? reader.get<Pod>('', 'pods', namespace, name);
  if (!pod) throw new StatusError(404, 'NotFound', `pods ${quote(name)} not found`, { name, kind: 'pods' });
  return pod;
}

function checkPodStatus(attributes: AdmissionAttributes, node: string): void {
  const { operation, object, oldObject } = attributes;
  if (operation !== 'UPDATE') throw admissionDenied(attributes, `unexpected operation ${quote(operation)}`);
  if ((oldObject as Pod).spec?.nodeName !== node)
    throw admissionDenied(attributes, `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`);
  if (!sameMap(object?.metadata.labels, oldObject?.metadata.labels))
    throw admissionDenied(attributes, `node ${quote(node)} cannot update labels through pod status`);
}

function sameMap(a: Record<string, string> = {}, b: Record<string, string> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function checkEviction(attributes: AdmissionAttributes, node: string, reader: ApiReader): void {
  if (attributes.operation !== 'CREATE') throw admissionDenied(attributes, `unexpected operation ${attributes.operation}`);
  const name = attributes.name || attributes.object?.metadata.name || '';
  const pod = existingPod({ ...attributes, name, oldObject: undefined }, reader);
  if (pod.spec?.nodeName !== node) throw admissionDenied(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
}

function checkNode(attributes: AdmissionAttributes, node: string): void {
  const { operation, object, oldObject } = attributes;
  const name = attributes.name || object?.metadata.name || '';
  if (name !== node) throw admissionDenied(attributes, `node ${quote(node)} is not allowed to modify node ${quote(name)}`);
  if (operation === 'CREATE') {
    const denied = forbiddenLabels(Object.keys(object?.metadata.labels ?? {}));
    if (denied.length > 0)
      throw admissionDenied(attributes, `node ${quote(node)} is not allowed to set the following labels: ${denied.join(', ')}`);
    if ((object?.metadata.ownerReferences?.length ?? 0) > 0)
      throw admissionDenied(attributes, `node ${quote(node)} is not allowed to set ownerReferences on itself`);
  }
  if (operation !== 'UPDATE') return;
  const [now, before] = [object as Node, oldObject as Node];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
  if (!same(now.spec?.taints, before.spec?.taints))
    throw admissionDenied(attributes, `node ${quote(node)} is not allowed to modify taints`);
  if (!same(now.metadata.ownerReferences, before.metadata.ownerReferences))
    throw admissionDenied(attributes, `node ${quote(node)} is not allowed to modify ownerReferences`);
  const denied = forbiddenLabels(changedLabels(now.metadata.labels, before.metadata.labels));
  if (denied.length > 0) throw admissionDenied(attributes, `is not allowed to modify labels: ${denied.join(', ')}`);
}

function checkToken(attributes: AdmissionAttributes, node: string, reader: ApiReader): void {
  const reference = (
    attributes.object?.spec as { boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } } | undefined
  )?.boundObjectRef;
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name)
    throw admissionDenied(attributes, 'node requested token not bound to a pod');
  if (!reference.uid) throw admissionDenied(attributes, 'node requested token with a pod binding without a uid');
  const pod = reader.get<Pod>('', 'pods', attributes.namespace, reference.name);
  if (!pod) throw new StatusError(404, 'NotFound', `pods ${quote(reference.name)} not found`, { name: reference.name, kind: 'pods' });
  if (pod.metadata.uid !== reference.uid) {
    throw admissionDenied(
      attributes,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec?.nodeName !== node) throw admissionDenied(attributes, 'node requested token bound to a pod scheduled on a different node');
}

function checkNamed(attributes: AdmissionAttributes, node: string, why: string, namespace?: string): void {
  if (namespace && attributes.namespace !== namespace)
    throw admissionDenied(attributes, `can only access leases in the ${quote(namespace)} system namespace`);
  const name = attributes.operation === 'CREATE' ? (attributes.object?.metadata.name ?? attributes.name) : attributes.name;
  if (name !== node) throw admissionDenied(attributes, why);
}

function checkSlice(attributes: AdmissionAttributes, node: string): void {
  const nodeOf = (object: KubeObject | undefined): unknown => (object?.spec as { nodeName?: string } | undefined)?.nodeName;
  if (attributes.operation === 'CREATE' && nodeOf(attributes.object) !== node)
    throw admissionDenied(attributes, 'can only create ResourceSlice with the same NodeName as the requesting node');
  if (attributes.operation !== 'CREATE' && attributes.oldObject && nodeOf(attributes.oldObject) !== node) {
    throw admissionDenied(
      attributes,
      `can only ${attributes.operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`,
    );
  }
}
