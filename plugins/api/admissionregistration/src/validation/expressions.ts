import type { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkCel } from '@kubernel/sdk/api';

/** The CEL expressions of policies and match conditions (https://kubernetes.io/docs/reference/using-api/cel/). */

export interface Surroundings {
  hasParams: boolean;
  /** Names of composed variables; undefined where there are none. */
  variables: readonly string[] | undefined;
  /** False for message expressions. Default: true. */
  hasAuthorizer?: boolean;
  /** What the expression may be; the first is named when it is none of them. Empty: anything. */
  result: readonly string[];
}

const NAMES = ['object', 'oldObject', 'request', 'namespaceObject'];

export function checkExpression(
  expression: string,
  path: FieldPath,
  errors: FieldErrors,
  { hasParams, variables, hasAuthorizer = true, result }: Surroundings,
): void {
  const names = [...NAMES, ...(hasParams ? ['params'] : []), ...(hasAuthorizer ? ['authorizer'] : []), ...(variables ? ['variables'] : [])];
  const outcome = checkCel(expression, { names, ...(variables ? { fields: { variables } } : {}) });
  if ('error' in outcome) {
    errors.invalid(path, expression, `compilation failed: ${outcome.error}`);
  } else if (
    outcome.type !== 'dyn' &&
    result.length > 0 &&
    !result.some((type) => type === outcome.type || type.startsWith(`${outcome.type}(`))
  ) {
    errors.invalid(
      path,
      expression,
      result.length === 1 ? `must evaluate to ${result[0]} but got ${outcome.type}` : `must evaluate to one of [${result.join(' ')}]`,
    );
  }
}
