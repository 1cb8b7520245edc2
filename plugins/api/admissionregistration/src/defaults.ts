import type { DefaultFunction } from '@kubernel/sdk';

const webhook: DefaultFunction = (hook) => {
  hook.failurePolicy ??= 'Fail';
  hook.matchPolicy ??= 'Equivalent';
  hook.namespaceSelector ??= {};
  hook.objectSelector ??= {};
  hook.timeoutSeconds ??= 10;
};

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'admissionregistration.v1.ValidatingWebhook': webhook,
  'admissionregistration.v1.MutatingWebhook': (hook) => {
    webhook(hook);
    hook.reinvocationPolicy ??= 'Never';
  },
  'admissionregistration.v1.RuleWithOperations': (rule) => {
    rule.scope ??= '*';
  },
  'admissionregistration.v1.NamedRuleWithOperations': (rule) => {
    rule.scope ??= '*';
  },
  'admissionregistration.v1.ServiceReference': (reference) => {
    reference.port ??= 443;
  },
  'admissionregistration.v1.MatchResources': (match) => {
    match.matchPolicy ??= 'Equivalent';
    match.namespaceSelector ??= {};
    match.objectSelector ??= {};
  },
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': (spec) => {
    spec.failurePolicy ??= 'Fail';
  },
  'admissionregistration.v1.MutatingAdmissionPolicySpec': (spec) => {
    spec.failurePolicy ??= 'Fail';
  },
};
