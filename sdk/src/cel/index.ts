/**
 * CEL with Kubernetes' libraries (https://kubernetes.io/docs/reference/using-api/cel/), for rules of custom resources and for policies.
 * The engine is loaded when the first expression is compiled.
 */
export * from './engine.ts';
export * from './environment.ts';
export * from './values.ts';
