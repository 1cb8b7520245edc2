import type { ResourceDefinition } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';

/** PartialObjectMetadata: an object's metadata alone (https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches). */

export function partialObject(text: string, version: string, { versionAnnotations = [] }: ResourceDefinition): string {
  const { metadata } = JSON.parse(text) as KubeObject;
  const { annotations } = metadata;
  if (annotations) {
    for (const name of versionAnnotations) delete annotations[name];
    if (Object.keys(annotations).length === 0) delete metadata.annotations;
  }
  return JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata });
}

export function partialList(items: readonly string[], meta: Record<string, unknown>, version: string): string {
  return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(meta)},"items":[${items.join(',')}]}`;
}
