import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkEnumPointer, checkQualifiedName, nameIsPathSegment, validateLabelSelector } from '@kubernel/sdk/api';
import { checkExpression } from './expressions.ts';

/** Which requests webhooks and policies want to see. */

export const FAILURE_POLICIES = ['Fail', 'Ignore'];
export const MATCH_POLICIES = ['Equivalent', 'Exact'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
const MAX_CONDITIONS = 64;

export function checkRule(rule: Decoded, path: FieldPath, errors: FieldErrors): void {
  const operations: string[] = rule.operations ?? [];
  const at = path.child('operations');
  checkWildcard(operations, at, errors, 'other operations');
  operations.forEach((operation, i) => {
    if (!OPERATIONS.includes(operation)) errors.notSupported(at.index(i), operation, OPERATIONS);
  });
  checkWildcard(rule.apiGroups ?? [], path.child('apiGroups'), errors, 'other API groups');
  const versions: string[] = rule.apiVersions ?? [];
  checkWildcard(versions, path.child('apiVersions'), errors, 'other API versions');
  versions.forEach((version, i) => {
    if (version === '') errors.required(path.child('apiVersions').index(i));
  });
  checkResources(rule.resources ?? [], path.child('resources'), errors);
  checkEnumPointer(rule.scope, path.child('scope'), errors, SCOPES);
}

function checkWildcard(items: readonly string[], path: FieldPath, errors: FieldErrors, others: string): void {
  if (items.length === 0) errors.required(path);
  if (items.length > 1 && items.includes('*')) errors.invalid(path, items, `if '*' is present, must not specify ${others}`);
}

function checkResources(resources: readonly string[], path: FieldPath, errors: FieldErrors): void {
  if (resources.length === 0) errors.required(path);
  const allSubresourcesOf = new Set<string>();
  const ofAllResources = new Set<string>();
  // The last resource without a subresource decides, as upstream has it.
  let lastIsPlain = false;
  resources.forEach((text, i) => {
    if (text === '') {
      errors.required(path.index(i));
      return;
    }
    const slash = text.indexOf('/');
    if (slash < 0) {
      lastIsPlain = text !== '*';
      return;
    }
    const resource = text.slice(0, slash);
    const subresource = text.slice(slash + 1);
    if (allSubresourcesOf.has(resource)) errors.invalid(path.index(i), text, `if '${resource}/*' is present, must not specify ${text}`);
    if (ofAllResources.has(subresource)) errors.invalid(path.index(i), text, `if '*/${subresource}' is present, must not specify ${text}`);
    if (subresource === '*') allSubresourcesOf.add(resource);
    if (resource === '*') ofAllResources.add(subresource);
  });
  if (resources.length > 1 && resources.includes('*/*'))
    errors.invalid(path, resources, "if '*/*' is present, must not specify other resources");
  if (resources.includes('*') && lastIsPlain)
    errors.invalid(path, resources, "if '*' is present, must not specify other resources without subresources");
}

/** What policies and their bindings match. */
export function checkMatchResources(match: Decoded, path: FieldPath, errors: FieldErrors): void {
  const policy = path.child('matchPolicy');
  if (match.matchPolicy == null) errors.required(policy);
  else checkEnumPointer(match.matchPolicy, policy, errors, MATCH_POLICIES);
  for (const field of ['namespaceSelector', 'objectSelector']) {
    if (match[field] == null) errors.required(path.child(field));
    else validateLabelSelector(match[field], path.child(field), errors);
  }
  for (const field of ['resourceRules', 'excludeResourceRules']) {
    (match[field] ?? []).forEach((rule: Decoded, i: number) => {
      const at = path.child(field).index(i);
      const names: string[] = rule.resourceNames ?? [];
      names.forEach((name, j) => {
        errors.invalidEach(at.child('resourceNames').index(j), name, nameIsPathSegment(name, false));
        if (names.indexOf(name) < j) errors.duplicate(at.child('resourceNames').index(j), name);
      });
      checkRule(rule, at, errors);
    });
  }
}

export function checkMatchConditions(conditions: readonly Decoded[], path: FieldPath, errors: FieldErrors, hasParams: boolean): void {
  if (conditions.length > MAX_CONDITIONS) errors.tooMany(path, conditions.length, MAX_CONDITIONS);
  const names = new Set<string>();
  conditions.forEach((condition, i) => {
    const at = path.index(i);
    const { name = '' } = condition;
    const expression = (condition.expression ?? '').trim();
    if (expression) checkExpression(expression, at.child('expression'), errors, { hasParams, variables: undefined, result: ['bool'] });
    else errors.required(at.child('expression'));
    if (!name) {
      errors.required(at.child('name'));
      return;
    }
    checkQualifiedName(name, at.child('name'), errors);
    if (names.has(name)) errors.duplicate(at.child('name'), name);
    names.add(name);
  });
}
