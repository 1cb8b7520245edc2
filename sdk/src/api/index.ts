/** Shapes and arithmetic of Kubernetes objects: metadata, quantities, selectors, names, addresses, validation errors. */
export * from './addresses.ts';
export * from './duration.ts';
export * from './equality.ts';
export * from './field-checks.ts';
export * from './field-errors.ts';
export * from './int-or-string.ts';
export * from './kind-strategy.ts';
export type * from './kinds/index.ts';
export * from './names.ts';
export type * from './object.ts';
export * from './object-meta.ts';
export * from './object-validation.ts';
export * from './quantity.ts';
export * from './selector.ts';
export * from './node-affinity.ts';
export * from './pod-requests.ts';
export * from './tolerations.ts';
