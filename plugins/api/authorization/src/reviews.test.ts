import type { AuthzAttributes } from '@kubernel/sdk';
import { expect, test } from 'vitest';
import { localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview, subjectAccessReview } from './reviews.ts';

function contextOf(decision: 'allow' | 'deny' | 'no-opinion') {
  const asked: AuthzAttributes[] = [];
  const context = {
    user: { name: 'ann', groups: ['g'] },
    namespace: 'ns',
    reader: {
      authorize: async (attributes: AuthzAttributes) => {
        asked.push(attributes);
        return { decision, reason: decision === 'allow' ? 'because' : '' };
      },
    },
    service: () => ({ rulesFor: () => ({ resourceRules: [{ verbs: ['get'] }], nonResourceRules: [] }) }),
  };
  return { context: context as never, asked };
}
const review = (spec: object) => ({ metadata: {}, spec });

test('a review answers with the authorizers’ decision about the subject it names', async () => {
  const { context, asked } = contextOf('allow');
  const answer = await subjectAccessReview(
    review({ user: 'bob', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'ns' } }),
    context,
  );
  expect(answer.status).toEqual({ allowed: true, reason: 'because' });
  expect(asked[0]).toMatchObject({ user: { name: 'bob' }, verb: 'get', resource: 'pods', resourceRequest: true });
  expect(
    (await subjectAccessReview(review({ user: 'bob', nonResourceAttributes: { path: '/x', verb: 'get' } }), contextOf('deny').context))
      .status,
  ).toEqual({ allowed: false, denied: true });
});

test('a self review is about who asks', async () => {
  const { context, asked } = contextOf('no-opinion');
  expect(
    (await selfSubjectAccessReview(review({ user: 'ignored', resourceAttributes: { verb: 'list', resource: 'pods' } }), context)).status,
  ).toEqual({ allowed: false });
  expect(asked[0]?.user.name).toBe('ann');
  expect((await selfSubjectRulesReview(review({ namespace: 'ns' }), context)).status).toEqual({
    resourceRules: [{ verbs: ['get'] }],
    nonResourceRules: [],
    incomplete: false,
  });
});

test('reviews that ask nothing, or too much, are invalid', () => {
  const { context } = contextOf('allow');
  const refused = (run: () => unknown) => {
    try {
      run();
      return undefined;
    } catch (error) {
      return (error as { status: { code: number; message: string } }).status;
    }
  };
  expect(refused(() => subjectAccessReview(review({ user: 'u' }), context))).toMatchObject({
    code: 422,
    message:
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  });
  expect(refused(() => subjectAccessReview(review({ resourceAttributes: {} }), context))?.message).toMatch(/at least one of user or group/);
  expect(refused(() => selfSubjectRulesReview(review({}), context))?.code).toBe(400);
  expect(refused(() => localSubjectAccessReview(review({ user: 'u', resourceAttributes: { namespace: 'other' } }), context))?.code).toBe(
    400,
  );
});
