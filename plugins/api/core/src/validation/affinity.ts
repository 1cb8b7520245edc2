import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import {
  checkEnumPointer,
  checkRequired,
  labelValue,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  validateLabelKey,
  validateLabelSelector,
} from '@kubernel/sdk/api';

/** Where pods may run: node selectors, affinity, tolerations, topology spread. */

const EXISTS_WITH_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

function checkNodeRequirement(requirement: Decoded, path: FieldPath, errors: FieldErrors, checkValues: boolean): void {
  const { key = '', operator = '', values = [] } = requirement;
  const at = path.child('values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.required(at, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.forbidden(at, EXISTS_WITH_VALUES);
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) errors.required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    errors.invalid(path.child('operator'), operator, 'not a valid selector operator');
  }
  validateLabelKey(key, path.child('key'), errors);
  if (!checkValues) return;
  values.forEach((value: string, i: number) => {
    errors.invalidEach(at.index(i), value, labelValue(value));
  });
}

function checkNodeFieldRequirement(requirement: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { key = '', operator = '', values = [] } = requirement;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      errors.required(path.child('values'), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  } else {
    errors.invalid(path.child('operator'), operator, 'not a valid selector operator');
  }
  if (key !== 'metadata.name') {
    errors.invalid(path.child('key'), key, 'not a valid field selector key');
    return;
  }
  values.forEach((value: string, i: number) => {
    errors.invalidEach(path.child('values').index(i), value, nameIsDNSSubdomain(value, false));
  });
}

function checkNodeTerm(term: Decoded, path: FieldPath, errors: FieldErrors, checkValues: boolean): void {
  (term.matchExpressions ?? []).forEach((requirement: Decoded, i: number) => {
    checkNodeRequirement(requirement, path.child('matchExpressions').index(i), errors, checkValues);
  });
  (term.matchFields ?? []).forEach((requirement: Decoded, i: number) => {
    checkNodeFieldRequirement(requirement, path.child('matchFields').index(i), errors);
  });
}

/** core.v1.NodeSelector: at least one term. */
export function checkNodeSelector(selector: Decoded, path: FieldPath, errors: FieldErrors, checkValues = true): void {
  const at = path.child('nodeSelectorTerms');
  const terms: Decoded[] = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) errors.required(at, 'must have at least one node selector term');
  terms.forEach((term, i) => {
    checkNodeTerm(term, at.index(i), errors, checkValues);
  });
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

function checkWeight(weight: number | undefined, path: FieldPath, errors: FieldErrors): void {
  if ((weight ?? 0) <= 0 || (weight ?? 0) > 100) errors.invalid(path, weight ?? 0, 'must be in the range 1-100');
}

export function checkAffinity(affinity: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  const node = affinity?.nodeAffinity;
  if (node) {
    const at = path.child('nodeAffinity');
    if (node[REQUIRED]) checkNodeSelector(node[REQUIRED], at.child(REQUIRED), errors);
    (node[PREFERRED] ?? []).forEach((term: Decoded, i: number) => {
      const step = at.child(PREFERRED).index(i);
      checkWeight(term.weight, step.child('weight'), errors);
      // A preference that can never match does no harm, so its values may be anything.
      checkNodeTerm(term.preference ?? {}, step.child('preference'), errors, false);
    });
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const at = path.child(kind);
    (affinity?.[kind]?.[REQUIRED] ?? []).forEach((term: Decoded, i: number) => {
      checkPodTerm(term, at.child(REQUIRED).index(i), errors);
    });
    (affinity?.[kind]?.[PREFERRED] ?? []).forEach((weighted: Decoded, i: number) => {
      const step = at.child(PREFERRED).index(i);
      checkWeight(weighted.weight, step.child('weight'), errors);
      checkPodTerm(weighted.podAffinityTerm ?? {}, step.child('podAffinityTerm'), errors);
    });
  }
}

function checkPodTerm(term: Decoded, path: FieldPath, errors: FieldErrors): void {
  validateLabelSelector(term.labelSelector, path.child('labelSelector'), errors);
  validateLabelSelector(term.namespaceSelector, path.child('namespaceSelector'), errors);
  for (const namespace of term.namespaces ?? []) errors.invalidEach(path.child('namespace'), namespace, nameIsDNSLabel(namespace, false));
  checkTermKeys(term, path, errors);
  checkRequired(term.topologyKey, path.child('topologyKey'), errors, 'can not be empty');
  validateLabelKey(term.topologyKey ?? '', path.child('topologyKey'), errors);
}

/** matchLabelKeys and mismatchLabelKeys (KEP-3633): label keys, in neither the selector nor each other. */
function checkTermKeys(term: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const keys: string[] = term[field] ?? [];
    if (keys.length === 0) continue;
    if (!labelSelector) errors.forbidden(path.child(field), 'must not be specified when labelSelector is not set');
    else for (const [i, key] of keys.entries()) validateLabelKey(key, path.child(field).index(i), errors);
  }
  if (labelSelector) {
    const seen = new Set(Object.keys(labelSelector.matchLabels ?? {}));
    for (const { key = '' } of labelSelector.matchExpressions ?? []) {
      const position = matchLabelKeys.lastIndexOf(key);
      if (position >= 0 && seen.has(key)) errors.invalid(path.index(position), key, 'exists in both matchLabelKeys and labelSelector');
      seen.add(key);
    }
  }
  matchLabelKeys.forEach((key: string, i: number) => {
    if (mismatchLabelKeys.includes(key))
      errors.invalid(path.child('matchLabelKeys').index(i), key, 'exists in both matchLabelKeys and mismatchLabelKeys');
  });
}

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function checkTolerations(tolerations: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  tolerations.forEach((toleration, i) => {
    checkToleration(toleration, path.index(i), errors);
  });
}

export function checkToleration(toleration: Decoded, at: FieldPath, errors: FieldErrors): void {
  const { key = '', operator = '', value = '', effect = '' } = toleration;
  if (key) validateLabelKey(key, at.child('key'), errors);
  if (!key && operator !== 'Exists') {
    errors.invalid(
      at.child('operator'),
      operator,
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    );
  }
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.invalid(at.child('effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (operator === '' || operator === 'Equal') {
    const messages = labelValue(value);
    if (messages.length) errors.invalid(at.child('operator'), value, messages.join(';'));
  } else if (operator === 'Exists') {
    if (value) errors.invalid(at.child('operator'), value, "value must be empty when `operator` is 'Exists'");
  } else {
    errors.notSupported(at.child('operator'), operator, ['Equal', 'Exists']);
  }
  if (effect && !TAINT_EFFECTS.includes(effect)) errors.notSupported(at.child('effect'), effect, TAINT_EFFECTS);
}

export function checkTopologySpread(constraints: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  constraints.forEach((constraint, i) => {
    const at = path.index(i);
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains, labelSelector, matchLabelKeys = [] } = constraint;
    if (maxSkew <= 0) errors.invalid(at.child('maxSkew'), maxSkew, 'must be greater than zero');
    checkRequired(topologyKey, at.child('topologyKey'), errors, 'can not be empty');
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(whenUnsatisfiable)) {
      errors.notSupported(at.child('whenUnsatisfiable'), whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
    }
    const repeated = constraints
      .slice(i + 1)
      .some((other) => (other.topologyKey ?? '') === topologyKey && (other.whenUnsatisfiable ?? '') === whenUnsatisfiable);
    if (repeated) errors.duplicate(at.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${whenUnsatisfiable}}`);
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.invalid(at.child('minDomains'), minDomains, 'must be greater than zero');
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        errors.invalid(
          at.child('minDomains'),
          minDomains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
        );
      }
    }
    checkEnumPointer(constraint.nodeAffinityPolicy, at.child('nodeAffinityPolicy'), errors, ['Honor', 'Ignore']);
    checkEnumPointer(constraint.nodeTaintsPolicy, at.child('nodeTaintsPolicy'), errors, ['Honor', 'Ignore']);
    checkSpreadKeys(matchLabelKeys, labelSelector, at.child('matchLabelKeys'), errors);
    validateLabelSelector(labelSelector, at.child('labelSelector'), errors);
  });
}

function checkSpreadKeys(keys: readonly string[], selector: Decoded | undefined, path: FieldPath, errors: FieldErrors): void {
  if (keys.length === 0) return;
  if (!selector) errors.forbidden(path, 'must not be specified when labelSelector is not set');
  keys.forEach((key, i) => {
    validateLabelKey(key, path.index(i), errors);
  });
  // A pod's keys have been merged into its selector by now: what counts is whether they were there before.
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key = '' } of selector?.matchExpressions ?? []) {
    const position = keys.lastIndexOf(key);
    if (position >= 0 && seen.has(key)) errors.invalid(path.index(position), key, 'exists in both matchLabelKeys and labelSelector');
    seen.add(key);
  }
}

/** core.v1.TopologySelectorTerm. Returns the term as a string that is equal for terms that mean the same. */
export function checkTopologyTerm(term: Decoded, path: FieldPath, errors: FieldErrors): string {
  const keys = new Map<string, string[]>();
  (term.matchLabelExpressions ?? []).forEach((requirement: Decoded, i: number) => {
    const at = path.child('matchLabelExpressions').index(i);
    const { key = '' } = requirement;
    const values: string[] = requirement.values ?? [];
    if (values.length === 0) errors.required(at.child('values'));
    values.forEach((value: string, j: number) => {
      if (values.indexOf(value) < j) errors.duplicate(at.child('values').index(j), value);
    });
    validateLabelKey(key, at.child('key'), errors);
    if (keys.has(key)) errors.duplicate(at.child('key'), key);
    keys.set(key, [...new Set<string>(values)].sort());
  });
  return JSON.stringify([...keys].sort(([a], [b]) => (a < b ? -1 : 1)));
}
