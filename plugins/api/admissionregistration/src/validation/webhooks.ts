import type { Decoded } from '@kubernel/sdk/api';
import {
  checkClientConfig,
  checkEnumPointer,
  dns1035LabelName,
  dns1123Subdomain,
  FieldErrors,
  FieldPath,
  semanticEqual,
  validateLabelSelector,
} from '@kubernel/sdk/api';
import { checkMatchConditions, checkRule, FAILURE_POLICIES, MATCH_POLICIES } from './matching.ts';

/** Webhook configurations. What an old object already got wrong, its update may keep. */

const WEBHOOKS = FieldPath.of('webhooks');
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];

interface Leniency {
  sideEffects: boolean;
  reviewVersions: boolean;
  repeatedNames: boolean;
  labelValues: boolean;
  sameConditions: boolean;
}

const STRICT: Leniency = { sideEffects: false, reviewVersions: false, repeatedNames: false, labelValues: false, sameConditions: false };

const webhooksOf = (object: Decoded): Decoded[] => object.webhooks ?? [];

function leniencyOf(object: Decoded, old: Decoded): Leniency {
  const before = webhooksOf(old);
  const after = webhooksOf(object);
  const isKnown = (version: string): boolean => REVIEW_VERSIONS.includes(version);
  return {
    sideEffects: before.some(({ sideEffects }) => !NO_SIDE_EFFECTS.includes(sideEffects)),
    reviewVersions: before.some(({ admissionReviewVersions }) => admissionReviewVersions?.length && !admissionReviewVersions.some(isKnown)),
    repeatedNames: new Set(before.map(({ name }) => name)).size < before.length,
    labelValues: before.some((webhook) =>
      ['namespaceSelector', 'objectSelector'].some((field) => webhook[field] && !isValidSelector(webhook[field])),
    ),
    sameConditions:
      before.length === after.length && before.every((webhook, i) => semanticEqual(webhook.matchConditions, after[i]?.matchConditions)),
  };
}

function isValidSelector(selector: Decoded): boolean {
  const errors = new FieldErrors();
  validateLabelSelector(selector, WEBHOOKS, errors);
  return errors.empty;
}

export function checkWebhooks(object: Decoded, old: Decoded | undefined, errors: FieldErrors, mutating: boolean): void {
  const lenient = old ? leniencyOf(object, old) : STRICT;
  const names = new Set<string>();
  webhooksOf(object).forEach((webhook, i) => {
    const at = WEBHOOKS.index(i);
    const { name = '' } = webhook;
    checkWebhook(webhook, at, errors, lenient, mutating);
    checkReviewVersions(webhook.admissionReviewVersions ?? [], at.child('admissionReviewVersions'), errors, lenient);
    if (lenient.repeatedNames || !name) return;
    if (names.has(name)) errors.duplicate(at.child('name'), name);
    names.add(name);
  });
}

function checkWebhook(webhook: Decoded, path: FieldPath, errors: FieldErrors, lenient: Leniency, mutating: boolean): void {
  checkFullName(webhook.name ?? '', path.child('name'), errors);
  (webhook.rules ?? []).forEach((rule: Decoded, i: number) => {
    checkRule(rule, path.child('rules').index(i), errors);
  });
  checkEnumPointer(webhook.failurePolicy, path.child('failurePolicy'), errors, FAILURE_POLICIES);
  checkEnumPointer(webhook.matchPolicy, path.child('matchPolicy'), errors, MATCH_POLICIES);
  const allowed = lenient.sideEffects ? SIDE_EFFECTS : NO_SIDE_EFFECTS;
  if (webhook.sideEffects == null) errors.required(path.child('sideEffects'), `must specify one of ${allowed.join(', ')}`);
  else checkEnumPointer(webhook.sideEffects, path.child('sideEffects'), errors, allowed);
  const { timeoutSeconds } = webhook;
  if (timeoutSeconds != null && (timeoutSeconds > 30 || timeoutSeconds < 1)) {
    errors.invalid(path.child('timeoutSeconds'), timeoutSeconds, 'the timeout value must be between 1 and 30 seconds');
  }
  for (const field of ['namespaceSelector', 'objectSelector']) {
    if (webhook[field]) validateLabelSelector(webhook[field], path.child(field), errors, { allowInvalidValues: lenient.labelValues });
  }
  if (mutating) checkEnumPointer(webhook.reinvocationPolicy, path.child('reinvocationPolicy'), errors, ['IfNeeded', 'Never']);
  checkClientConfig(webhook.clientConfig ?? {}, path.child('clientConfig'), errors, true);
  if (!lenient.sameConditions) checkMatchConditions(webhook.matchConditions ?? [], path.child('matchConditions'), errors, false);
}

function checkFullName(name: string, path: FieldPath, errors: FieldErrors): void {
  const messages = dns1123Subdomain(name);
  if (name === '') errors.required(path);
  else if (messages.length > 0) errors.invalid(path, name, messages.join(','));
  else if (name.split('.').length < 3) errors.invalid(path, name, 'should be a domain with at least three segments separated by dots');
}

function checkReviewVersions(versions: readonly string[], path: FieldPath, errors: FieldErrors, lenient: Leniency): void {
  const known = REVIEW_VERSIONS.join(', ');
  if (versions.length === 0) {
    errors.required(path, `must specify one of ${known}`);
    return;
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) errors.invalid(path.index(i), version, 'duplicate version');
    else errors.invalidEach(path.index(i), version, dns1035LabelName(version));
  });
  if (!lenient.reviewVersions && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.invalid(path, versions, `must include at least one of ${known}`);
  }
}
