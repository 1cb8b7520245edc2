/** PartialObjectMetadata: an object's metadata alone (https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches). */

export function partialObject(text: string, version: string): string {
  const { metadata } = JSON.parse(text) as { metadata: unknown };
  return JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata });
}

export function partialList(items: readonly string[], meta: Record<string, unknown>, version: string): string {
  return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(meta)},"items":[${items.join(',')}]}`;
}
