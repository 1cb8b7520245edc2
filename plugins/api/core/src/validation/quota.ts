import type { Decoded, FieldErrors, Quantity } from '@kubernel/sdk/api';
import { FieldPath, PrintedValue, parseQuantity, qualifiedName, tryQuantity } from '@kubernel/sdk/api';
import {
  checkContainerResourceName,
  checkQuotaResourceName,
  checkResourceAmount,
  checkResourceName,
  isStandardQuotaName,
  mayOvercommit,
} from './resource-names.ts';

/** ResourceQuotas and LimitRanges. */

const SPEC = FieldPath.of('spec');
const ALL_SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const EXISTS_ONLY = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];
const EXISTS_MESSAGE =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
const COMPUTE = [
  'pods',
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
];
const CONFLICTS: readonly (readonly [string, string])[] = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];

function scopeFits(scope: string, resource: string): boolean {
  const hugePages = resource.startsWith('hugepages-') || resource.startsWith('requests.hugepages-');
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
  if (ALL_SCOPES.includes(scope)) return COMPUTE.includes(resource) || hugePages;
  return true;
}

export function checkQuotaAmounts(amounts: Record<string, unknown> | undefined, path: FieldPath, errors: FieldErrors): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    checkQuotaResourceName(name, path.key(name), errors);
    checkResourceAmount(name, amount, path.key(name), errors);
  }
}

export function checkQuota(quota: Decoded, errors: FieldErrors): void {
  const { hard = {}, scopes = [], scopeSelector } = quota.spec ?? {};
  checkQuotaAmounts(hard, SPEC.child('hard'), errors);
  const names = Object.keys(hard).filter(isStandardQuotaName).sort();
  const at = SPEC.child('scopes');
  for (const scope of scopes) {
    if (!ALL_SCOPES.includes(scope)) errors.invalid(at, scopes, 'unsupported scope');
    for (const name of names) if (!scopeFits(scope, name)) errors.invalid(at, scopes, 'unsupported scope applied to resource');
  }
  for (const [a, b] of CONFLICTS) if (scopes.includes(a) && scopes.includes(b)) errors.invalid(at, scopes, 'conflicting scopes');
  if (scopeSelector) checkScopeSelector(scopeSelector, names, scopes, SPEC.child('scopeSelector', 'matchExpressions'), errors);
}

function checkScopeSelector(
  selector: Decoded,
  names: readonly string[],
  scopes: readonly string[],
  path: FieldPath,
  errors: FieldErrors,
): void {
  const seen = new Set<string>();
  const requirements: Decoded[] = selector.matchExpressions ?? [];
  for (const { scopeName = '', operator = '', values = [] } of requirements) {
    if (!ALL_SCOPES.includes(scopeName)) errors.invalid(path.child('scopeName'), scopeName, 'unsupported scope');
    for (const name of names)
      if (!scopeFits(scopeName, name)) errors.invalid(path, printSelector(requirements), 'unsupported scope applied to resource');
    if (EXISTS_ONLY.includes(scopeName) && operator !== 'Exists') errors.invalid(path.child('operator'), operator, EXISTS_MESSAGE);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.required(path.child('values'), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length)
        errors.invalid(path.child('values'), values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
    } else {
      errors.invalid(path.child('operator'), operator, 'not a valid selector operator');
    }
    seen.add(scopeName);
  }
  for (const [a, b] of CONFLICTS)
    if (seen.has(a) && seen.has(b)) errors.invalid(path, scopes.length ? scopes : undefined, 'conflicting scopes');
}

function printSelector(requirements: readonly Decoded[]): PrintedValue {
  const list = requirements.map(({ scopeName = '', operator = '', values }) => ({
    ScopeName: scopeName,
    Operator: operator,
    Values: values ?? null,
  }));
  return new PrintedValue(JSON.stringify({ MatchExpressions: list }));
}

/** LimitRange: each type once, and for each resource min <= defaultRequest <= default <= max. */
export function checkLimitRange(range: Decoded, errors: FieldErrors): void {
  const types = new Set<string>();
  (range.spec?.limits ?? []).forEach((limit: Decoded, i: number) => {
    const at = SPEC.child('limits').index(i);
    const type = limit.type ?? '';
    checkLimitType(type, at.child('type'), errors);
    if (types.has(type)) errors.duplicate(at.child('type'), type);
    types.add(type);
    const names = checkLimitNames(limit, type, at, errors);
    for (const name of names) checkLimitAmounts(limit, type, name, at, errors);
  });
}

function checkLimitType(type: string, path: FieldPath, errors: FieldErrors): void {
  const messages = qualifiedName(type);
  errors.invalidEach(path, type, messages);
  if (messages.length || type.includes('/') || ['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) return;
  errors.invalid(path, type, 'must be a standard limit type or fully qualified');
}

function checkLimitNames(limit: Decoded, type: string, path: FieldPath, errors: FieldErrors): Set<string> {
  const names = new Set<string>();
  const check = (field: string): void => {
    for (const name of Object.keys(limit[field] ?? {})) {
      if (type === 'Pod' || type === 'Container') checkContainerResourceName(name, path.child(field).key(name), errors);
      else checkResourceName(name, path.child(field).key(name), errors);
      names.add(name);
    }
  };
  check('max');
  check('min');
  for (const field of ['default', 'defaultRequest']) {
    if (type !== 'Pod') check(field);
    else if (Object.keys(limit[field] ?? {}).length) errors.forbidden(path.child(field), "may not be specified when `type` is 'Pod'");
  }
  if (type === 'PersistentVolumeClaim' && limit.min?.storage === undefined && limit.max?.storage === undefined) {
    errors.required(path.child('limits'), 'either minimum or maximum storage value is required, but neither was provided');
  }
  check('maxLimitRequestRatio');
  return names;
}

function checkLimitAmounts(limit: Decoded, type: string, name: string, path: FieldPath, errors: FieldErrors): void {
  const of = (field: string): Quantity | undefined => tryQuantity(limit[field]?.[name]);
  const min = of('min');
  const max = of('max');
  const ratio = of('maxLimitRequestRatio');
  const usual = type === 'Pod' ? undefined : of('default');
  const request = type === 'Pod' ? undefined : of('defaultRequest');
  const report = (field: string, value: Quantity, message: string): void =>
    errors.invalid(path.child(field).key(name), value.toString(), message);
  if (min && max && min.compare(max) > 0) report('min', min, `min value ${min} is greater than max value ${max}`);
  if (request && min && min.compare(request) > 0)
    report('defaultRequest', request, `min value ${min} is greater than default request value ${request}`);
  if (request && max && request.compare(max) > 0)
    report('defaultRequest', request, `default request value ${request} is greater than max value ${max}`);
  if (request && usual && request.compare(usual) > 0)
    report('defaultRequest', request, `default request value ${request} is greater than default limit value ${usual}`);
  if (usual && min && min.compare(usual) > 0) report('default', min, `min value ${min} is greater than default value ${usual}`);
  if (usual && max && usual.compare(max) > 0) report('default', max, `default value ${usual} is greater than max value ${max}`);
  if (ratio && ratio.compare(parseQuantity('1')) < 0) report('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  if (ratio && min && max) {
    const most = max.millis() / min.millis();
    if (ratio.millis() / 1000 > most) report('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
  }
  if (!mayOvercommit(name) && usual && request && usual.compare(request) !== 0) {
    report('defaultRequest', request, `default value ${usual} must equal to defaultRequest value ${request} in ${name}`);
  }
}
