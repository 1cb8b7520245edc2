/**
 * Types as data: tables of the API groups expanded to schemas, and everything the API server does with a type alone:
 * reading bodies, defaults, Go's output form, discovery and OpenAPI documents.
 */

export * from './descriptions.ts';
export * from './discovery.ts';
export * from './exact-json.ts';
export * from './openapi.ts';
export type { Descriptions } from './openapi-schemas.ts';
export * from './schema-codec.ts';
export * from './type-registry.ts';
