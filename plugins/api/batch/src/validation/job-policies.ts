import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkNonNegative, checkQualifiedName, OMIT_VALUE } from '@kubernel/sdk/api';

/** podFailurePolicy (KEP-3329) and successPolicy (KEP-3998). */

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const STATUSES = ['False', 'True', 'Unknown'];
const listed = (values: readonly string[]): string => `valid values: [${values.map((value) => `"${value}"`).join(' ')}]`;

function checkChoice(value: string, path: FieldPath, errors: FieldErrors, choices: readonly string[]): boolean {
  if (value === '') errors.required(path, listed(choices));
  else if (!choices.includes(value)) errors.notSupported(path, value, choices);
  else return true;
  return false;
}

export function checkFailurePolicy(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const rules: Decoded[] = spec.podFailurePolicy.rules ?? [];
  const pod: Decoded = spec.template?.spec ?? {};
  const names = new Set<string>([...(pod.containers ?? []), ...(pod.initContainers ?? [])].map(({ name = '' }: Decoded) => name));
  const list = path.child('rules');
  if (rules.length > 20) errors.tooMany(list, rules.length, 20);
  rules.forEach((rule, i) => {
    const at = list.index(i);
    const action = rule.action ?? '';
    if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
      errors.invalid(at.child('action'), action, 'requires the backoffLimitPerIndex to be set');
    }
    checkChoice(action, at.child('action'), errors, ACTIONS);
    if (rule.onExitCodes) checkExitCodes(rule.onExitCodes, names, at.child('onExitCodes'), errors);
    if (rule.onPodConditions?.length) checkConditions(rule.onPodConditions, at.child('onPodConditions'), errors);
    if (rule.onExitCodes && rule.onPodConditions?.length) {
      errors.invalid(at, OMIT_VALUE, 'specifying both OnExitCodes and OnPodConditions is not supported');
    } else if (!rule.onExitCodes && !rule.onPodConditions?.length) {
      errors.invalid(at, OMIT_VALUE, 'specifying one of OnExitCodes and OnPodConditions is required');
    }
  });
}

function checkExitCodes(requirement: Decoded, names: ReadonlySet<string>, path: FieldPath, errors: FieldErrors): void {
  const { operator = '', containerName } = requirement;
  const values: number[] = requirement.values ?? [];
  checkChoice(operator, path.child('operator'), errors, ['In', 'NotIn']);
  if (containerName !== undefined && !names.has(containerName)) {
    errors.invalid(path.child('containerName'), containerName, 'must be one of the container or initContainer names in the pod template');
  }
  const at = path.child('values');
  if (values.length === 0) errors.invalid(at, undefined, 'at least one value is required');
  else if (values.length > 255) errors.tooMany(at, values.length, 255);
  let ordered = true;
  values.forEach((code: number, i: number) => {
    if (operator === 'In' && code === 0) errors.invalid(at.index(i), code, 'must not be 0 for the In operator');
    if (values.indexOf(code) < i) errors.duplicate(at.index(i), code);
    if (i > 0 && (values[i - 1] ?? code) > code) ordered = false;
  });
  if (!ordered) errors.invalid(at, values, 'must be ordered');
}

function checkConditions(patterns: readonly Decoded[], path: FieldPath, errors: FieldErrors): void {
  if (patterns.length > 20) errors.tooMany(path, patterns.length, 20);
  patterns.forEach(({ type = '', status = '' }, i) => {
    checkQualifiedName(type, path.index(i).child('type'), errors);
    checkChoice(status, path.index(i).child('status'), errors, STATUSES);
  });
}

export function checkSuccessPolicy(spec: Decoded, path: FieldPath, errors: FieldErrors): void {
  const list = path.child('rules');
  const rules: Decoded[] = spec.successPolicy.rules ?? [];
  if (rules.length === 0) errors.required(list, 'at least one rules must be specified when the successPolicy is specified');
  if (rules.length > 20) errors.tooMany(list, rules.length, 20);
  rules.forEach(({ succeededIndexes, succeededCount }, i) => {
    const at = list.index(i);
    let total: number | undefined;
    if (succeededIndexes === undefined && succeededCount === undefined) {
      errors.required(at, 'at least one of succeededCount or succeededIndexes must be specified');
    }
    if (succeededIndexes !== undefined) {
      const parsed = countIndexes(succeededIndexes, spec.completions ?? 0);
      if (typeof parsed === 'number') total = parsed;
      else errors.invalid(at.child('succeededIndexes'), succeededIndexes, `error parsing succeededIndexes: ${parsed}`);
    }
    if (succeededCount === undefined) return;
    const count = at.child('succeededCount');
    checkNonNegative(succeededCount, count, errors);
    if (spec.completions !== undefined && succeededCount > spec.completions) {
      errors.invalid(count, succeededCount, `must be less than or equal to ${spec.completions} (the number of specified completions)`);
    }
    if (total !== undefined && succeededCount > total) {
      errors.invalid(
        count,
        succeededCount,
        `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
      );
    }
  });
}

/** How many indexes `0-3,5` names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let total = 0;
  let previous: number | undefined;
  for (const part of text.split(',')) {
    const bounds = part.split('-');
    if (bounds.length > 2)
      return `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const numbers: number[] = [];
    for (const bound of bounds) {
      if (!/^[-+]?\d+$/.test(bound)) return `cannot convert string to integer for index: ${JSON.stringify(bound)}`;
      if (Number(bound) >= completions) return `too large index: ${JSON.stringify(bound)}`;
      numbers.push(Number(bound));
    }
    const [first = 0, last = first] = numbers;
    if (previous !== undefined && previous >= first) return `non-increasing order, previous: ${previous}, current: ${first}`;
    if (numbers.length === 2 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
    total += last - first + 1;
    previous = last;
  }
  return total;
}
