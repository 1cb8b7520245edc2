/** Shapes and arithmetic of Kubernetes objects: metadata, quantities, selectors, names, validation errors. */
export * from './field-errors.ts';
export type * from './object.ts';
