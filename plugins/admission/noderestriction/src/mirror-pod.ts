import type { AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

const MIRROR = 'kubernetes.io/config.mirror';

/** A node creates pods only to show what it runs by itself: bound to it, owned by it, and without a claim on anything else. */
export function checkMirrorPod(attributes: AdmissionAttributes, node: string, reader: ApiReader): void {
  const pod = attributes.object as KubeObject & { spec: { nodeName?: string; serviceAccountName?: string } };
  const refuse = (why: string): Error => admissionDenied(attributes, why);
  const self = JSON.stringify(node);
  if (pod.metadata.annotations?.[MIRROR] === undefined)
    throw refuse(`pod does not have ${JSON.stringify(MIRROR)} annotation, node ${self} can only create mirror pods`);
  if (pod.spec.nodeName !== node) throw refuse(`node ${self} can only create pods with spec.nodeName set to itself`);
  const owners = pod.metadata.ownerReferences ?? [];
  if (owners.length > 1) throw refuse(`node ${self} can only create pods with a single owner reference set to itself`);
  const [owner] = owners;
  if (!owner) throw refuse(`node ${self} can only create pods with an owner reference set to itself`);
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw refuse(`node ${self} can only create pods with an owner reference set to itself`);
  if (!owner.controller) throw refuse(`node ${self} can only create pods with a controller owner reference set to itself`);
  if (owner.blockOwnerDeletion) throw refuse(`node ${self} must not set blockOwnerDeletion on an owner reference`);
  const uid = reader.get('', 'nodes', '', node)?.metadata.uid;
  if (owner.uid !== uid) throw refuse(`node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
  if (pod.spec.serviceAccountName) throw refuse(`node ${self} can not create pods that reference a service account`);
  for (const [resource, pattern] of REFERENCES) {
    if (mentions(pod.spec, pattern)) throw refuse(`node ${self} can not create pods that reference ${resource}`);
  }
}

const REFERENCES: readonly (readonly [resource: string, field: RegExp])[] = [
  ['secrets', /^(secret|secretRef|secretKeyRef|imagePullSecrets|nodePublishSecretRef|secretName)$/],
  ['configmaps', /^(configMap|configMapRef|configMapKeyRef)$/],
  ['persistentvolumeclaims', /^(persistentVolumeClaim|ephemeral)$/],
  ['resourceclaims', /^resourceClaims$/],
];

function mentions(value: unknown, field: RegExp): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, item]) => (field.test(key) && item !== null && item !== undefined) || mentions(item, field));
}
