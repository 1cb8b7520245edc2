import type { ApiGroup, CompactField, DefaultFunction, TypeSchema, TypeTraits, Validator } from '@kubernel/sdk';
import { KubernelError } from '@kubernel/sdk';
import { discoveryTypes } from './discovery-types.ts';
import { expandType, listTypeOf } from './expand.ts';
import { metaTraits, metaTypes } from './meta-types.ts';
import { StructReader } from './type-reader.ts';

/** All types of the loaded groups by full name; expanded and compiled when first asked for. */
export class TypeRegistry {
  readonly #tables = new Map<string, Readonly<Record<string, CompactField>>>();
  readonly #traits = new Map<string, TypeTraits>();
  readonly #schemas = new Map<string, TypeSchema>();
  readonly #readers = new Map<string, StructReader>();
  readonly #defaults = new Map<string, DefaultFunction>();
  readonly #validators = new Map<string, Validator>();

  constructor(groups: Iterable<ApiGroup>) {
    this.#add(metaTypes, metaTraits);
    this.#add(discoveryTypes, {});
    this.#tables.set('meta.v1.PartialObjectMetadata', {
      kind: ['string', 0, 'e'],
      apiVersion: ['string', 0, 'e'],
      metadata: ['meta.v1.ObjectMeta', 1, 'e'],
    });
    this.#tables.set('meta.v1.PartialObjectMetadataList', listTypeOf('meta.v1.PartialObjectMetadata'));
    for (const group of groups) {
      this.#add(group.types, group.traits ?? {});
      for (const [type, fill] of Object.entries(group.defaults ?? {})) this.#defaults.set(type, fill);
      for (const [type, validator] of Object.entries(group.validators ?? {})) this.#validators.set(type, validator);
      for (const { type, listKind, kind } of group.resources) {
        const list = `${type.slice(0, type.lastIndexOf('.'))}.${listKind ?? `${kind}List`}`;
        if (!this.#tables.has(list)) this.#tables.set(list, listTypeOf(type));
      }
    }
  }

  #add(types: ApiGroup['types'], traits: Readonly<Record<string, TypeTraits>>): void {
    for (const [name, fields] of Object.entries(types)) this.#tables.set(name, fields);
    for (const [name, value] of Object.entries(traits)) this.#traits.set(name, value);
  }

  has(type: string): boolean {
    return this.#schemas.has(type) || this.#tables.has(type);
  }

  get names(): string[] {
    return [...new Set([...this.#tables.keys(), ...this.#schemas.keys()])];
  }

  /** Throws ERR_TYPE_UNKNOWN for a type no loaded group defines. */
  readonly schema = (type: string): TypeSchema => {
    let schema = this.#schemas.get(type);
    if (!schema) {
      const table = this.#tables.get(type);
      if (!table) {
        throw new KubernelError('ERR_TYPE_UNKNOWN', `no loaded API group defines the type ${type}`, {
          subject: type,
          hint: `add the plugin api/${type.split('.')[0]} to the config`,
        });
      }
      schema = expandType(type, table, this.#traits.get(type));
      this.#schemas.set(type, schema);
    }
    return schema;
  };

  /** Types that do not come from a table (custom resources). */
  define(schema: TypeSchema): void {
    this.#schemas.set(schema.name, schema);
    this.#readers.delete(schema.name);
  }

  readonly reader = (type: string): StructReader => {
    let reader = this.#readers.get(type);
    if (!reader) {
      reader = new StructReader(this.schema(type), this.reader);
      this.#readers.set(type, reader);
    }
    return reader;
  };

  defaultsOf(type: string): DefaultFunction | undefined {
    return this.#defaults.get(type);
  }

  validatorOf(type: string): Validator | undefined {
    return this.#validators.get(type);
  }
}
