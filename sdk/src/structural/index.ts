/**
 * Structural schemas: what a CustomResourceDefinition says of its objects, and everything that follows from that alone: pruning,
 * defaulting, validation in upstream's words. For the API server and for whoever validates such schemas.
 */
export * from './defaulting.ts';
export * from './embedded.ts';
export * from './formats.ts';
export * from './list-types.ts';
export * from './prune.ts';
export * from './regexp.ts';
export * from './rules.ts';
export * from './schema.ts';
export * from './validate.ts';
