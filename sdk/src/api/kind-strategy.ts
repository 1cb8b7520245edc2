import type { Strategy, StrategyContext } from '../roles/api.ts';
import type { FieldErrors } from './field-errors.ts';
import { FieldPath } from './field-errors.ts';
import type { NameCheck } from './names.ts';
import type { Decoded, KubeObject } from './object.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

/** How one kind is checked; see {@link kindStrategy}. */
export interface KindRules {
  namespaced: boolean;
  /** Default: a DNS subdomain. */
  name?: NameCheck;
  /** Check only the name that came out of generateName, as newer kinds do. */
  nameOnly?: boolean;
  /** False for kinds that take finalizers of any qualified name without more ado. Default: true. */
  kubeFinalizers?: boolean;
  /** What is checked on creation after metadata. */
  validate?(object: Decoded, errors: FieldErrors, context: StrategyContext): void;
  /** What is checked on update only. */
  validateUpdate?(object: Decoded, old: Decoded, errors: FieldErrors, context: StrategyContext): void;
  /**
   * The order of an update, as upstream has it for the kind: `update` metadata's update rules, `meta` metadata's
   * creation rules, `validate` and `validateUpdate` the functions above. Default: update, validateUpdate, validate.
   */
  onUpdate?: readonly ('update' | 'meta' | 'validate' | 'validateUpdate')[];
}

export const ROOT_PATH: FieldPath = FieldPath.of();

/** A strategy whose validation checks metadata and the object in the kind's own order; `rest` adds what else the kind does. */
export function kindStrategy(rules: KindRules, rest: Strategy = {}): Strategy {
  const { namespaced, name, nameOnly = false, kubeFinalizers = true } = rules;
  const checkMeta = (object: KubeObject, errors: FieldErrors): void =>
    validateObjectMeta(object.metadata, { namespaced, name, nameOnly, kubeFinalizers }, errors);
  const order = rules.onUpdate ?? ['update', 'validateUpdate', 'validate'];
  return {
    ...(name ? { validateName: name } : {}),
    validate(object, errors, context) {
      checkMeta(object, errors);
      rules.validate?.(object, errors, context);
    },
    validateUpdate(object, old, errors, context) {
      for (const step of order) {
        if (step === 'update') validateObjectMetaUpdate(object.metadata, old.metadata, errors, { kubeFinalizers });
        else if (step === 'meta') checkMeta(object, errors);
        else if (step === 'validate') rules.validate?.(object, errors, context);
        else rules.validateUpdate?.(object, old, errors, context);
      }
    },
    ...rest,
  };
}

/** For endpoints that may change status only: takes everything else, metadata but for its own rules, from the stored object. */
export function keepSpec(object: KubeObject, old: KubeObject): void {
  if (old.spec === undefined) delete object.spec;
  else object.spec = structuredClone(old.spec);
}

/** For the main endpoint of kinds with a status subresource: status is what it was. */
export function keepStatus(object: KubeObject, old: KubeObject): void {
  if (old.status === undefined) delete object.status;
  else object.status = structuredClone(old.status);
}

/** For endpoints that change no metadata: it is what it was, but for the revision asked for and who manages what. In place, as the caller holds it. */
export function keepMetadata({ metadata }: KubeObject, old: KubeObject): void {
  const { resourceVersion, managedFields } = metadata;
  for (const key of Object.keys(metadata)) delete metadata[key as keyof typeof metadata];
  Object.assign(metadata, structuredClone(old.metadata), { resourceVersion, managedFields });
}
