import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  FieldPath,
  goJson,
  nameIsDNSSubdomain,
  nameIsPathSegment,
  PrintedValue,
  selectorOf,
  semanticEqual,
  validateLabelSelector,
} from '@kubernel/sdk/api';

/** Roles and bindings (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). */

const GROUP = 'rbac.authorization.k8s.io';

export function checkRules(role: Decoded, errors: FieldErrors, namespaced: boolean): void {
  (role.rules ?? []).forEach((rule: Decoded, i: number) => {
    const at = FieldPath.of('rules').index(i);
    const { nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
    if (!rule.verbs?.length) errors.required(at.child('verbs'), 'verbs must contain at least one value');
    if (nonResourceURLs.length) {
      if (namespaced) errors.invalid(at.child('nonResourceURLs'), nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs');
      if (apiGroups.length || resources.length || resourceNames.length) {
        errors.invalid(at.child('nonResourceURLs'), nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs');
      }
      return;
    }
    if (apiGroups.length === 0) errors.required(at.child('apiGroups'), 'resource rules must supply at least one api group');
    if (resources.length === 0) errors.required(at.child('resources'), 'resource rules must supply at least one resource');
  });
}

export function checkAggregation(role: Decoded, errors: FieldErrors): void {
  const rule = role.aggregationRule;
  if (!rule) return;
  const at = FieldPath.of('aggregationRule', 'clusterRoleSelectors');
  const selectors: Decoded[] = rule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) errors.required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil');
  selectors.forEach((selector, i) => {
    validateLabelSelector(selector, at.index(i), errors);
    try {
      selectorOf(selector);
    } catch {
      errors.invalid(at.index(i), undefined, 'invalid label selector.');
    }
  });
}

export function checkBinding(binding: Decoded, errors: FieldErrors, namespaced: boolean): void {
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
  const at = FieldPath.of('roleRef');
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (apiGroup !== GROUP) errors.notSupported(at.child('apiGroup'), apiGroup, [GROUP]);
  if (!kinds.includes(kind)) errors.notSupported(at.child('kind'), kind, kinds);
  if (!name) errors.required(at.child('name'));
  else errors.invalidEach(at.child('name'), name, nameIsPathSegment(name, false));
  (binding.subjects ?? []).forEach((subject: Decoded, i: number) => {
    checkSubject(subject, FieldPath.of('subjects').index(i), errors, namespaced);
  });
}

function checkSubject(subject: Decoded, path: FieldPath, errors: FieldErrors, namespaced: boolean): void {
  const { kind = '', name = '', namespace = '', apiGroup = '' } = subject;
  if (!name) errors.required(path.child('name'));
  if (kind === 'ServiceAccount') {
    if (name) errors.invalidEach(path.child('name'), name, nameIsDNSSubdomain(name, false));
    if (apiGroup) errors.notSupported(path.child('apiGroup'), apiGroup, ['']);
    if (!namespaced && !namespace) errors.required(path.child('namespace'));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== GROUP) errors.notSupported(path.child('apiGroup'), apiGroup, [GROUP]);
  } else {
    errors.notSupported(path.child('kind'), kind, ['ServiceAccount', 'User', 'Group']);
  }
}

/** A binding never changes what it grants: who may bind was asked for that role alone. */
export function checkSameRole(binding: Decoded, old: Decoded, errors: FieldErrors): void {
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
  if (semanticEqual(binding.roleRef, old.roleRef)) return;
  errors.invalid(
    FieldPath.of('roleRef'),
    new PrintedValue(goJson({ APIGroup: apiGroup, Kind: kind, Name: name })),
    'cannot change roleRef',
  );
}
