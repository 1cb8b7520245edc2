import type { Authorizer, AuthzAttributes, StrategyContext, UserInfo, VirtualResource } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { FieldErrors, FieldPath } from '@kubernel/sdk/api';

/** Reviews ask the configured authorizers (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access). */
type Create = NonNullable<VirtualResource['create']>;

interface ReviewSpec {
  user?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: { path?: string; verb?: string };
}
interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  fieldSelector?: SelectorAttributes;
  labelSelector?: SelectorAttributes;
}
interface SelectorAttributes {
  rawSelector?: string;
  requirements?: { key?: string; operator?: string; values?: string[] }[];
}

export const subjectAccessReview: Create = (review, context) => {
  const spec = specOf(review);
  const errors = validateSpec(spec);
  if (!spec.user && !spec.groups?.length)
    errors.invalid(FieldPath.of('spec', 'user'), spec.user ?? '', 'at least one of user or group must be specified');
  refuse(errors);
  return answered(review, context, spec, subjectOf(spec));
};

export const localSubjectAccessReview: Create = (review, context) => {
  const spec = specOf(review);
  const errors = validateSpec(spec);
  if (!spec.user && !spec.groups?.length)
    errors.invalid(FieldPath.of('spec', 'user'), spec.user ?? '', 'at least one of user or group must be specified');
  if (spec.nonResourceAttributes)
    errors.invalid(FieldPath.of('spec', 'nonResourceAttributes'), spec.nonResourceAttributes, 'disallowed on this kind of request');
  refuse(errors);
  if (spec.resourceAttributes && (spec.resourceAttributes.namespace ?? '') !== context.namespace) {
    throw new StatusError(
      400,
      'BadRequest',
      `spec.resourceAttributes.namespace must match namespace: ${JSON.stringify(spec.resourceAttributes.namespace ?? '')} != ${JSON.stringify(context.namespace)}`,
    );
  }
  return answered(review, context, spec, subjectOf(spec));
};

export const selfSubjectAccessReview: Create = (review, context) => {
  const spec = specOf(review);
  refuse(validateSpec(spec));
  return answered(review, context, spec, context.user);
};

export const selfSubjectRulesReview: Create = (review, context) => {
  const { namespace } = (review.spec ?? {}) as { namespace?: string };
  if (!namespace) throw new StatusError(400, 'BadRequest', 'no namespace on request');
  const rules = context.service<Required<Pick<Authorizer, 'rulesFor'>>>('rules').rulesFor(context.user, namespace);
  return {
    ...review,
    status: { resourceRules: rules.resourceRules, nonResourceRules: rules.nonResourceRules, incomplete: rules.incomplete ?? false },
  };
};

const specOf = (review: KubeObject): ReviewSpec => (review.spec ?? {}) as ReviewSpec;

const subjectOf = ({ user = '', uid, groups = [], extra }: ReviewSpec): UserInfo => ({
  name: user,
  groups,
  ...(uid && { uid }),
  ...(extra && { extra }),
});

async function answered(review: KubeObject, { reader }: StrategyContext, spec: ReviewSpec, user: UserInfo): Promise<KubeObject> {
  const { decision, reason } = await reader.authorize(attributesOf(spec, user));
  return {
    ...review,
    status: { allowed: decision === 'allow', ...(decision === 'deny' && { denied: true }), ...(reason && { reason }) },
  };
}

function attributesOf({ resourceAttributes: resource, nonResourceAttributes: path }: ReviewSpec, user: UserInfo): AuthzAttributes {
  return {
    user,
    verb: resource?.verb ?? path?.verb ?? '',
    resourceRequest: resource !== undefined,
    group: resource?.group ?? '',
    version: resource ? resource.version || '*' : '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    path: path?.path ?? '',
  };
}

function validateSpec({ resourceAttributes, nonResourceAttributes }: ReviewSpec): FieldErrors {
  const errors = new FieldErrors();
  const path = FieldPath.of('spec', 'resourceAttributes');
  if (resourceAttributes && nonResourceAttributes) {
    errors.invalid(
      FieldPath.of('spec', 'nonResourceAttributes'),
      nonResourceAttributes,
      'cannot be specified in combination with resourceAttributes',
    );
  }
  if (!resourceAttributes && !nonResourceAttributes)
    errors.invalid(path, null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified');
  for (const field of ['fieldSelector', 'labelSelector'] as const) {
    const selector = resourceAttributes?.[field];
    if (selector) validateSelector(selector, path.child(field), errors, field === 'fieldSelector');
  }
  return errors;
}

function validateSelector({ rawSelector, requirements }: SelectorAttributes, path: FieldPath, errors: FieldErrors, isField: boolean): void {
  if (rawSelector && requirements?.length)
    errors.invalid(path.child('rawSelector'), rawSelector, 'may not specified at the same time as requirements');
  if (!rawSelector && !requirements?.length)
    errors.required(path.child('requirements'), `when ${path.toString()} is specified, requirements or rawSelector is required`);
  for (const [index, { key, operator, values = [] }] of (requirements ?? []).entries()) {
    const at = path.child('requirements').index(index);
    if (!key) errors.required(at.child('key'), 'must be specified');
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.forbidden(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
      errors.invalid(at.child('operator'), operator ?? '', isField ? 'not a valid selector operator' : 'not a valid selector operator');
    }
  }
}

/** Upstream leaves the kind out of these errors. */
function refuse(errors: FieldErrors): void {
  if (!errors.empty) throw errors.toStatusError('', 'authorization.k8s.io', '');
}
