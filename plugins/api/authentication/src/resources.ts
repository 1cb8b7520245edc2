import type { ResourceDefinition, TokenService, UserInfo } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { resourcesOf } from '@kubernel/sdk/api';

const define = resourcesOf('authentication.k8s.io', 'v1', 'authentication');

export const resources: readonly ResourceDefinition[] = [
  define({
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: {
      create: (review, { user }) => ({
        ...review,
        metadata: { ...review.metadata, creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z` },
        status: { userInfo: userInfo(user) },
      }),
    },
  }),
  define({
    kind: 'TokenReview',
    plural: 'tokenreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: { create: (review, { service }): Promise<KubeObject> => service<TokenService>('tokens').review(review) },
  }),
];

function userInfo({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid && { uid }), groups, ...(extra && { extra }) };
}
