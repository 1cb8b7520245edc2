import type { TypeTable } from '@kubernel/sdk';

/** apidiscovery.k8s.io/v2, for aggregated discovery in protobuf. Its kinds are answers, not resources. */
export const discoveryTypes: TypeTable = {
  'apidiscovery.v2.APIGroupDiscoveryList': {
    kind: ['string', 0, 'e'],
    apiVersion: ['string', 0, 'e'],
    metadata: ['meta.v1.ListMeta', 1, 'e'],
    items: ['[]apidiscovery.v2.APIGroupDiscovery', 2, 'r'],
  },
  'apidiscovery.v2.APIGroupDiscovery': {
    kind: ['string', 0, 'e'],
    apiVersion: ['string', 0, 'e'],
    metadata: ['meta.v1.ObjectMeta', 1, 'e'],
    versions: ['[]apidiscovery.v2.APIVersionDiscovery', 2, 'e'],
  },
  'apidiscovery.v2.APIVersionDiscovery': {
    version: ['string', 1, 'r'],
    resources: ['[]apidiscovery.v2.APIResourceDiscovery', 2, 'e'],
    freshness: ['string', 3, 'e'],
  },
  'apidiscovery.v2.APIResourceDiscovery': {
    resource: ['string', 1, 'r'],
    responseKind: ['meta.v1.GroupVersionKind', 2, 'ep'],
    scope: ['string', 3, 'r'],
    singularResource: ['string', 4, 'r'],
    verbs: ['[]string', 5, 'r'],
    shortNames: ['[]string', 6, 'e'],
    categories: ['[]string', 7, 'e'],
    subresources: ['[]apidiscovery.v2.APISubresourceDiscovery', 8, 'e'],
  },
  'apidiscovery.v2.APISubresourceDiscovery': {
    subresource: ['string', 1, 'r'],
    responseKind: ['meta.v1.GroupVersionKind', 2, 'ep'],
    acceptedTypes: ['[]meta.v1.GroupVersionKind', 3, 'e'],
    verbs: ['[]string', 4, 'r'],
  },
  'meta.v1.GroupVersionKind': {
    group: ['string', 1, 'r'],
    version: ['string', 2, 'r'],
    kind: ['string', 3, 'r'],
  },
};
