import type { TypeRef, TypeSchema } from '@kubernel/sdk';

/** Where patch and apply look types up: expanded tables of the API groups, or structural schemas of custom resources. */
export interface Types {
  has(name: string): boolean;
  /** Throws for a type that is not there. */
  schema(name: string): TypeSchema;
}

export function typeNamed(types: Types, name: string): TypeSchema | undefined {
  return types.has(name) ? types.schema(name) : undefined;
}

/** The struct a reference leads to; undefined for scalars, lists and maps. */
export function schemaOf(types: Types, ref: TypeRef): TypeSchema | undefined {
  if (ref.kind === 'ref') return typeNamed(types, ref.name);
  return ref.kind === 'inline' ? ref.schema : undefined;
}
