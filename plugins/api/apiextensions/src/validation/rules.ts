import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkCel, goJson, PrintedValue } from '@kubernel/sdk/api';
import { celName } from '@kubernel/sdk/cel';
import { firstProblem } from './expression.ts';

/** x-kubernetes-validations: CEL rules of a schema, checked for their grammar and the names they use. */

const CEL_TYPES: Readonly<Record<string, string>> = { string: 'string', integer: 'int', number: 'double', boolean: 'bool', array: 'list' };
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** `root`: the schema is that of a whole resource. */
export function checkRules(schema: Decoded, path: FieldPath, errors: FieldErrors, root: boolean): void {
  (schema['x-kubernetes-validations'] ?? []).forEach((rule: Decoded, i: number) => {
    checkRule(rule, schema, path.child('x-kubernetes-validations').index(i), errors, root);
  });
}

function checkRule(item: Decoded, schema: Decoded, path: FieldPath, errors: FieldErrors, root: boolean): void {
  const { rule = '', message = '', messageExpression = '', reason } = item;
  const printed = print(item);
  if (!rule.trim()) {
    errors.required(path.child('rule'), 'rule is not specified');
    return;
  }
  if (message && !message.trim()) errors.invalid(path.child('message'), message, 'must be non-empty if specified');
  else if (/[\n\r]/.test(message.trim())) errors.invalid(path.child('message'), message, 'message must not contain line breaks');
  else if (/[\n\r]/.test(rule.trim()) && !message.trim())
    errors.required(path.child('message'), 'message must be specified if rule contains line breaks');
  if (messageExpression && !messageExpression.trim())
    errors.required(path.child('messageExpression'), 'messageExpression must be non-empty if specified');
  if (reason != null && !REASONS.includes(reason)) errors.notSupported(path.child('reason'), reason, REASONS);
  if (item.fieldPath && !leadsSomewhere(item.fieldPath, schema))
    errors.invalid(path.child('fieldPath'), item.fieldPath, 'must be a valid path');
  if (item.optionalOldSelf != null && !/\boldSelf\b/.test(rule))
    errors.invalid(path.child('optionalOldSelf'), item.optionalOldSelf, 'may not be set if oldSelf is not used in rule');
  const self = CEL_TYPES[schema.type] ?? 'dyn';
  const properties =
    schema.type === 'object' && (schema.properties || schema['x-kubernetes-preserve-unknown-fields'])
      ? Object.keys(schema.properties ?? {}).map(celName)
      : undefined;
  const isRoot = properties?.includes('metadata') || properties?.includes('spec');
  const fields = properties && !isRoot ? { fields: { self: properties, oldSelf: properties } } : {};
  const known = { names: ['self', 'oldSelf'], types: { self, oldSelf: self }, ...fields };
  const outcome = firstProblem(rule, schema, root) ?? checkCel(rule, known);
  if ('error' in outcome) errors.invalid(path.child('rule'), printed, `compilation failed: ${outcome.error}`);
  else if (outcome.type !== 'bool' && outcome.type !== 'dyn')
    errors.invalid(path.child('rule'), printed, 'cel expression must evaluate to a bool');
  if (!messageExpression.trim()) return;
  const text = checkCel(messageExpression, known);
  if ('error' in text) errors.invalid(path.child('messageExpression'), printed, `messageExpression compilation failed: ${text.error}`);
  else if (text.type !== 'string' && text.type !== 'dyn')
    errors.invalid(path.child('messageExpression'), printed, 'messageExpression must evaluate to a string');
}

/** Properties by name or `['name']`; elements of lists cannot be named. */
function leadsSomewhere(path: string, schema: Decoded): boolean {
  const steps = path.match(/\.[A-Za-z_][A-Za-z0-9_]*|\['(?:[^'\\]|\\.)*'\]/g) ?? [];
  if (steps.join('') !== path) return false;
  let at: Decoded | undefined = schema;
  for (const step of steps) {
    const name = step.startsWith('.') ? step.slice(1) : step.slice(2, -2);
    at = at?.properties?.[name] ?? (typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined);
  }
  return at !== undefined;
}

const print = ({
  rule = '',
  message = '',
  messageExpression = '',
  reason = null,
  fieldPath = '',
  optionalOldSelf = null,
}: Decoded): PrintedValue =>
  new PrintedValue(
    goJson({
      Rule: rule,
      Message: message,
      MessageExpression: messageExpression,
      Reason: reason,
      FieldPath: fieldPath,
      OptionalOldSelf: optionalOldSelf,
    }),
  );
