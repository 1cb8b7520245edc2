/**
 * Which objects the pods of a node refer to. Built when the first node asks, so that a cluster whose kubelets are plugins of
 * the same process pays nothing for it; from then on each pod costs the references it has.
 */
import type { ApiReader } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

type Reference = { name?: string } | undefined;

interface Container {
  env?: { valueFrom?: { secretKeyRef?: Reference; configMapKeyRef?: Reference } }[];
  envFrom?: { secretRef?: Reference; configMapRef?: Reference }[];
}
interface Pod extends KubeObject {
  spec: {
    nodeName?: string;
    serviceAccountName?: string;
    imagePullSecrets?: Reference[];
    containers?: Container[];
    initContainers?: Container[];
    ephemeralContainers?: Container[];
    volumes?: Record<string, unknown>[];
    resourceClaims?: { name: string; resourceClaimName?: string }[];
  };
  status?: { resourceClaimStatuses?: { resourceClaimName?: string }[] };
}
interface Volume extends KubeObject {
  spec?: { claimRef?: { namespace?: string; name?: string } } & Record<string, unknown>;
}
interface Attachment extends KubeObject {
  spec?: { nodeName?: string };
}

export class NodeGraph {
  /** `secrets/ns/name` -> node -> how many of its pods refer to it. */
  readonly #nodesOf = new Map<string, Map<string, number>>();
  readonly #podReferences = new Map<string, { node: string; references: string[] }>();
  readonly #reader: ApiReader;

  constructor(reader: ApiReader) {
    this.#reader = reader;
    reader.onChange('', 'pods', (type, pod) => this.#put(type, pod as Pod));
    for (const pod of reader.list<Pod>('', 'pods')) this.#put('ADDED', pod);
  }

  /** Is there a way from the object to a pod of the node? */
  reaches(node: string, resource: string, namespace: string, name: string): boolean {
    if (resource === 'persistentvolumes') return this.#volumeReaches(node, this.#reader.get<Volume>('', 'persistentvolumes', '', name));
    if (resource === 'volumeattachments') {
      return this.#reader.get<Attachment>('storage.k8s.io', 'volumeattachments', '', name)?.spec?.nodeName === node;
    }
    if (this.#nodesOf.get(`${resource}/${namespace}/${name}`)?.has(node)) return true;
    if (resource !== 'secrets') return false;
    return this.#reader
      .list<Volume>('', 'persistentvolumes')
      .some((volume) => secretsOf(volume).includes(`${namespace}/${name}`) && this.#volumeReaches(node, volume));
  }

  #volumeReaches(node: string, volume: Volume | undefined): boolean {
    const claim = volume?.spec?.claimRef;
    return !!claim && this.reaches(node, 'persistentvolumeclaims', claim.namespace ?? '', claim.name ?? '');
  }

  #put(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Pod): void {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const before = this.#podReferences.get(key);
    if (before) for (const reference of before.references) this.#release(reference, before.node);
    this.#podReferences.delete(key);
    const node = pod.spec.nodeName;
    if (type === 'DELETED' || !node) return;
    const references = referencesOf(pod);
    this.#podReferences.set(key, { node, references });
    for (const reference of references) {
      const nodes = this.#nodesOf.get(reference) ?? new Map<string, number>();
      nodes.set(node, (nodes.get(node) ?? 0) + 1);
      this.#nodesOf.set(reference, nodes);
    }
  }

  #release(reference: string, node: string): void {
    const nodes = this.#nodesOf.get(reference);
    const count = (nodes?.get(node) ?? 0) - 1;
    if (count > 0) nodes?.set(node, count);
    else nodes?.delete(node);
    if (nodes?.size === 0) this.#nodesOf.delete(reference);
  }
}

function referencesOf(pod: Pod): string[] {
  const { namespace, name } = pod.metadata;
  const references = new Set<string>([`pods/${namespace}/${name}`]);
  const add = (resource: string, target: string | undefined): unknown => target && references.add(`${resource}/${namespace}/${target}`);
  const { spec } = pod;
  add('serviceaccounts', spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) add('secrets', secret?.name);
  for (const { env, envFrom } of [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const { valueFrom } of env ?? []) {
      add('secrets', valueFrom?.secretKeyRef?.name);
      add('configmaps', valueFrom?.configMapKeyRef?.name);
    }
    for (const { secretRef, configMapRef } of envFrom ?? []) {
      add('secrets', secretRef?.name);
      add('configmaps', configMapRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) volumeReferences(volume, pod.metadata.name ?? '', add);
  for (const { resourceClaimName } of [...(spec.resourceClaims ?? []), ...(pod.status?.resourceClaimStatuses ?? [])])
    add('resourceclaims', resourceClaimName);
  return [...references];
}

function volumeReferences(
  volume: Record<string, unknown>,
  podName: string,
  add: (resource: string, name: string | undefined) => unknown,
): void {
  const source = (type: string): Record<string, unknown> | undefined => volume[type] as Record<string, unknown> | undefined;
  add('secrets', source('secret')?.secretName as string | undefined);
  add('configmaps', source('configMap')?.name as string | undefined);
  add('persistentvolumeclaims', source('persistentVolumeClaim')?.claimName as string | undefined);
  if (volume.ephemeral) add('persistentvolumeclaims', `${podName}-${volume.name}`);
  for (const projected of (source('projected')?.sources ?? []) as Record<string, Reference>[]) {
    add('secrets', projected.secret?.name);
    add('configmaps', projected.configMap?.name);
  }
  for (const [type, plugin] of Object.entries(volume)) {
    if (typeof plugin !== 'object' || plugin === null || ['secret', 'configMap', 'projected'].includes(type)) continue;
    for (const field of ['secretRef', 'nodePublishSecretRef'])
      add('secrets', ((plugin as Record<string, unknown>)[field] as Reference)?.name);
    if (type === 'azureFile') add('secrets', (plugin as { secretName?: string }).secretName);
  }
}

/** `ns/name` of the secrets a volume's driver needs on the node. */
function secretsOf({ spec }: Volume): string[] {
  const names: string[] = [];
  for (const source of Object.values(spec ?? {})) {
    if (typeof source !== 'object' || source === null) continue;
    for (const [field, reference] of Object.entries(source)) {
      if (!/SecretRef$|^secretRef$/.test(field) || typeof reference !== 'object' || reference === null) continue;
      const { namespace = spec?.claimRef?.namespace, name } = reference as { namespace?: string; name?: string };
      names.push(`${namespace}/${name}`);
    }
  }
  return names;
}
