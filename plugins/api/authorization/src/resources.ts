import type { ResourceDefinition } from '@kubernel/sdk';
import { resourcesOf } from '@kubernel/sdk/api';
import { localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview, subjectAccessReview } from './reviews.ts';

const define = resourcesOf('authorization.k8s.io', 'v1', 'authorization');

export const resources: readonly ResourceDefinition[] = [
  define({
    kind: 'LocalSubjectAccessReview',
    plural: 'localsubjectaccessreviews',
    namespaced: true,
    verbs: ['create'],
    virtual: { create: localSubjectAccessReview },
  }),
  define({
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: { create: selfSubjectAccessReview },
  }),
  define({
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: { create: selfSubjectRulesReview },
  }),
  define({
    kind: 'SubjectAccessReview',
    plural: 'subjectaccessreviews',
    namespaced: false,
    verbs: ['create'],
    virtual: { create: subjectAccessReview },
  }),
];
