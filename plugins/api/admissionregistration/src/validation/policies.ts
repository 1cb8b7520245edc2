import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkEnumPointer,
  checkQualifiedName,
  dns1035LabelName,
  dns1123Subdomain,
  FieldPath,
  nameIsDNSSubdomain,
  nameIsPathSegment,
  semanticEqual,
  validateLabelSelector,
} from '@kubernel/sdk/api';
import { checkExpression } from './expressions.ts';
import { checkMatchConditions, checkMatchResources, FAILURE_POLICIES } from './matching.ts';

/** Admission policies and their bindings (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/). */

const SPEC = FieldPath.of('spec');
const MAX_ANNOTATIONS = 20;
const MAX_ANNOTATION_EXPRESSION = 5 * 1024;
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const RESERVED =
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' ');

/** What kinds of policies have in common; returns the names of the variables. */
function checkCommon(object: Decoded, old: Decoded | undefined, errors: FieldErrors): string[] | undefined {
  const spec: Decoded = object.spec ?? {};
  const failure = SPEC.child('failurePolicy');
  if (spec.failurePolicy == null) errors.required(failure);
  else checkEnumPointer(spec.failurePolicy, failure, errors, FAILURE_POLICIES);
  if (spec.paramKind) checkParamKind(spec.paramKind, SPEC.child('paramKind'), errors);
  const constraints = SPEC.child('matchConstraints');
  if (spec.matchConstraints == null) {
    errors.required(constraints);
  } else {
    checkMatchResources(spec.matchConstraints, constraints, errors);
    if (!spec.matchConstraints.resourceRules?.length) errors.required(constraints.child('resourceRules'));
  }
  const isSame =
    old && semanticEqual(spec.paramKind, old.spec?.paramKind) && semanticEqual(spec.matchConditions, old.spec?.matchConditions);
  if (!isSame) checkMatchConditions(spec.matchConditions ?? [], SPEC.child('matchConditions'), errors, !!spec.paramKind);
  const variables: Decoded[] = spec.variables ?? [];
  const names: string[] = [];
  variables.forEach((variable, i) => {
    checkVariable(variable, SPEC.child('variables').index(i), errors, !!spec.paramKind, names);
    if (variable.expression?.trim()) names.push(variable.name ?? '');
  });
  return variables.length ? names : undefined;
}

function checkVariable(
  { name = '', expression = '' }: Decoded,
  path: FieldPath,
  errors: FieldErrors,
  hasParams: boolean,
  variables: readonly string[],
): void {
  if (!name.trim()) errors.required(path.child('name'), 'name is not specified');
  else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || RESERVED.includes(name))
    errors.invalid(path.child('name'), name, 'must be a valid CEL identifier');
  if (!expression.trim()) errors.required(path.child('expression'), 'expression is not specified');
  else checkExpression(expression, path.child('expression'), errors, { hasParams, variables, result: [] });
}

function checkParamKind({ apiVersion = '', kind = '' }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const at = path.child('apiVersion');
  const parts = apiVersion.split('/');
  const [group, version] = parts.length === 2 ? parts : ['', apiVersion];
  if (!apiVersion) errors.required(at);
  else if (parts.length > 2) errors.invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else {
    const messages = group ? dns1123Subdomain(group) : [];
    if (messages.length > 0) errors.invalid(at, group, messages.join(','));
    const versionMessages = dns1035LabelName(version);
    if (!version || version === '/') errors.invalid(at, apiVersion, 'version must be specified');
    else if (versionMessages.length > 0) errors.invalid(at, version, versionMessages.join(','));
  }
  const messages = dns1035LabelName(kind.toLowerCase());
  if (!kind) errors.required(path.child('kind'));
  else if (messages.length > 0)
    errors.invalid(path.child('kind'), kind, `may have mixed case, but should otherwise match: ${messages.join(',')}`);
}

export function checkValidatingPolicy(object: Decoded, old: Decoded | undefined, errors: FieldErrors): void {
  const variables = checkCommon(object, old, errors);
  const { validations, auditAnnotations, paramKind } = object.spec ?? {};
  if (!validations?.length && !auditAnnotations?.length) {
    for (const field of ['validations', 'auditAnnotations'])
      errors.required(SPEC.child(field), 'validations or auditAnnotations must contain at least one item');
    return;
  }
  (validations ?? []).forEach((validation: Decoded, i: number) => {
    checkValidation(validation, SPEC.child('validations').index(i), errors, !!paramKind, variables);
  });
  const at = SPEC.child('auditAnnotations');
  const annotations: Decoded[] = auditAnnotations ?? [];
  if (annotations.length > MAX_ANNOTATIONS) errors.invalid(at, annotations, `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`);
  const keys = new Set<string>();
  annotations.forEach((annotation, i) => {
    const { key = '' } = annotation;
    checkAnnotation(annotation, object.metadata?.name ?? '', at.index(i), errors, !!paramKind, variables);
    if (keys.has(key)) errors.duplicate(at.index(i).child('key'), key);
    keys.add(key);
  });
}

function checkValidation(
  validation: Decoded,
  path: FieldPath,
  errors: FieldErrors,
  hasParams: boolean,
  variables: readonly string[] | undefined,
): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  if (!expression.trim()) errors.required(path.child('expression'), 'expression is not specified');
  else checkExpression(expression, path.child('expression'), errors, { hasParams, variables, result: ['bool'] });
  const at = path.child('messageExpression');
  if (messageExpression && !messageExpression.trim()) errors.invalid(at, messageExpression, 'must be non-empty if specified');
  else if (messageExpression)
    checkExpression(messageExpression, at, errors, { hasParams, variables, hasAuthorizer: false, result: ['string'] });
  if (message && !message.trim()) errors.invalid(path.child('message'), message, 'message must be non-empty if specified');
  else if (/[\n\r]/.test(message.trim())) errors.invalid(path.child('message'), message, 'message must not contain line breaks');
  checkEnumPointer(reason, path.child('reason'), errors, REASONS);
}

function checkAnnotation(
  annotation: Decoded,
  policy: string,
  path: FieldPath,
  errors: FieldErrors,
  hasParams: boolean,
  variables: readonly string[] | undefined,
): void {
  const { key = '' } = annotation;
  if (policy) checkQualifiedName(`${policy}/${key}`, path.child('key'), errors);
  else errors.invalid(path.child('key'), key, 'requires metadata.name be non-empty');
  const expression = (annotation.valueExpression ?? '').trim();
  const at = path.child('valueExpression');
  if (!expression) errors.required(at, 'valueExpression is not specified');
  else if (expression.length > MAX_ANNOTATION_EXPRESSION)
    errors.required(at, `must not exceed ${MAX_ANNOTATION_EXPRESSION} bytes in length`);
  else checkExpression(expression, at, errors, { hasParams, variables, result: ['string', 'null_type'] });
}

export function checkMutatingPolicy(object: Decoded, old: Decoded | undefined, errors: FieldErrors): void {
  const variables = checkCommon(object, old, errors);
  const { mutations, reinvocationPolicy = '', paramKind } = object.spec ?? {};
  if (!mutations?.length) errors.required(SPEC.child('mutations'), 'mutations must contain at least one item');
  (mutations ?? []).forEach((mutation: Decoded, i: number) => {
    checkMutation(mutation, SPEC.child('mutations').index(i), errors, !!paramKind, variables);
  });
  const at = SPEC.child('reinvocationPolicy');
  if (!reinvocationPolicy) errors.required(at);
  else checkEnumPointer(reinvocationPolicy, at, errors, ['IfNeeded', 'Never']);
}

const MUTATIONS = [
  { type: 'ApplyConfiguration', field: 'applyConfiguration', other: 'jsonPatch', result: 'Object' },
  { type: 'JSONPatch', field: 'jsonPatch', other: 'applyConfiguration', result: 'list(JSONPatch)' },
];

function checkMutation(
  mutation: Decoded,
  path: FieldPath,
  errors: FieldErrors,
  hasParams: boolean,
  variables: readonly string[] | undefined,
): void {
  const { patchType = '' } = mutation;
  const rule = MUTATIONS.find(({ type }) => type === patchType);
  if (!patchType) errors.required(path.child('patchType'));
  if (!rule) {
    if (patchType)
      errors.notSupported(
        path.child('patchType'),
        patchType,
        MUTATIONS.map(({ type }) => type),
      );
    return;
  }
  const at = path.child(rule.field);
  if (mutation[rule.other]) errors.forbidden(path.child(rule.other), `must not be specified when patchType is ${patchType}`);
  if (!mutation[rule.field]) {
    errors.required(at, `must be specified when patchType is ${patchType}`);
    return;
  }
  const { expression = '' } = mutation[rule.field];
  if (!expression.trim()) errors.required(at.child('expression'));
  else checkExpression(expression, at.child('expression'), errors, { hasParams, variables, result: [rule.result] });
}

export function checkPolicyBinding(object: Decoded, errors: FieldErrors, validating: boolean): void {
  const { policyName = '', paramRef, matchResources, validationActions } = object.spec ?? {};
  if (!policyName) errors.required(SPEC.child('policyName'));
  else errors.invalidEach(SPEC.child('policyName'), policyName, nameIsDNSSubdomain(policyName, false));
  if (paramRef) checkParamRef(paramRef, SPEC.child('paramRef'), errors);
  if (matchResources) checkMatchResources(matchResources, SPEC.child('matchResources'), errors);
  if (validating) checkActions(validationActions ?? [], SPEC.child('validationActions'), errors);
}

function checkParamRef({ name = '', selector, parameterNotFoundAction: action }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const exclusive = 'name and selector are mutually exclusive';
  if (name) errors.invalidEach(path.child('name'), name, nameIsPathSegment(name, false));
  if (name && selector) errors.forbidden(path.child('name'), exclusive);
  if (selector) validateLabelSelector(selector, path.child('selector'), errors);
  if (name && selector) errors.forbidden(path.child('selector'), exclusive);
  if (!name && !selector) errors.required(path, 'one of name or selector must be specified');
  if (!action) errors.required(path.child('parameterNotFoundAction'));
  else checkEnumPointer(action, path.child('parameterNotFoundAction'), errors, ['Deny', 'Allow']);
}

function checkActions(actions: readonly string[], path: FieldPath, errors: FieldErrors): void {
  actions.forEach((action, i) => {
    checkEnumPointer(action, path.index(i), errors, ['Audit', 'Deny', 'Warn']);
    if (actions.indexOf(action) < i) errors.duplicate(path.index(i), action);
  });
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.invalid(
      path,
      actions,
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    );
  }
  if (actions.length === 0) errors.required(path, 'at least one validation action is required');
}
