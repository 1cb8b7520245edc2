import { StatusError, type Strategy } from '@kubernel/sdk';
import { FieldErrors, FieldPath, type KubeObject, parseSelector, validateObjectMeta, validateObjectMetaUpdate } from '@kubernel/sdk/api';
import { validateEmbedded, validateListTypes, validateRules, validateValue } from '@kubernel/sdk/structural';
import type { CustomType } from './custom-type.ts';
import type { Version } from './definition.ts';

/** What a custom resource's strategy needs to know of its definition. */
export interface Facts {
  readonly type: CustomType;
  readonly version: Version;
  readonly namespaced: boolean;
  /** Being deleted: nothing new is taken in. */
  terminating(): boolean;
}

/** What happens to custom resources on their way in (upstream's customresource strategy). */
export function customStrategy(facts: Facts): Strategy {
  const { type, version } = facts;
  const hasStatus = version.subresources?.status !== undefined;
  return {
    generation: true,
    unconditionalUpdate: false,
    ...(hasStatus ? { resetFields: ['status'] } : { resetFields: [] }),
    generationOf({ metadata: _metadata, status, ...rest }) {
      return JSON.stringify(hasStatus ? sorted(rest) : sorted({ ...rest, status }));
    },
    prepareForCreate(object) {
      checkKind(object, type);
      if (facts.terminating()) {
        const why = 'create not allowed while custom resource definition is terminating';
        throw new StatusError(405, 'MethodNotAllowed', why, { group: type.group, kind: facts.type.kind });
      }
      if (hasStatus) delete object.status;
    },
    prepareForUpdate(object, old) {
      checkKind(object, type);
      if (!hasStatus) return;
      if (old.status === undefined) delete object.status;
      else object.status = old.status;
    },
    validate: (object, errors) => {
      validateObjectMeta(object.metadata, { namespaced: facts.namespaced }, errors);
      validateContent(facts, object, undefined, errors);
    },
    validateUpdate(object, old, errors) {
      validateObjectMetaUpdate(object.metadata, old.metadata, errors);
      validateContent(facts, object, old, errors);
    },
  };
}

/** `/status`: nothing but the status changes. */
export function customStatusStrategy(facts: Facts): Strategy {
  return {
    unconditionalUpdate: false,
    resetFields: ['spec', 'metadata'],
    prepareForUpdate(object, old) {
      checkKind(object, facts.type);
      const { status, metadata } = object;
      for (const field of Object.keys(object)) delete object[field];
      Object.assign(object, old);
      const { resourceVersion, managedFields } = metadata;
      object.metadata = { ...old.metadata, ...(managedFields ? { managedFields } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
      if (status === undefined) delete object.status;
      else object.status = status;
    },
    validateUpdate(object, old, errors) {
      validateObjectMetaUpdate(object.metadata, old.metadata, errors);
      validateContent(facts, object, old, errors);
    },
  };
}

/** An object of another kind says so in its own name. */
function checkKind(object: KubeObject, type: CustomType): void {
  if (object.kind === type.kind) return;
  const errors = new FieldErrors();
  errors.invalid(FieldPath.of('kind'), object.kind, `must be ${type.kind}`);
  throw errors.toStatusError(object.kind ?? '', type.group, object.metadata.name ?? '');
}

function validateContent({ type, version }: Facts, object: KubeObject, old: KubeObject | undefined, errors: FieldErrors): void {
  const { schema } = type;
  const before = errors.list.length;
  if (schema) validateValue(object, schema, errors, undefined, old);
  const scale = version.subresources?.scale;
  if (scale) {
    checkReplicas(object, scale.specReplicasPath, errors);
    checkReplicas(object, scale.statusReplicasPath, errors);
    if (scale.labelSelectorPath) checkSelector(object, scale.labelSelectorPath, errors);
  }
  validateEmbedded(object, schema, errors);
  validateListTypes(object, schema, errors);
  if (!type.hasRules) return;
  // Rules may take for granted what the schema says.
  if (errors.list.slice(before).some(({ type: kind }) => BLOCKING.has(kind))) {
    const why = 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
    errors.invalid(FieldPath.of('<nil>'), null, why);
  } else validateRules(object, schema, errors, undefined, old, true);
}

const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const MAX_REPLICAS = 2 ** 31 - 1;

function checkReplicas(object: KubeObject, path: string, errors: FieldErrors): void {
  const value = at(object, path);
  if (typeof value !== 'number') return;
  if (value < 0) errors.invalid(FieldPath.of(path), value, 'should be a non-negative integer');
  else if (value > MAX_REPLICAS) errors.invalid(FieldPath.of(path), value, `should be less than or equal to ${MAX_REPLICAS}`);
}

function checkSelector(object: KubeObject, path: string, errors: FieldErrors): void {
  const value = at(object, path);
  if (typeof value !== 'string' || value === '') return;
  try {
    parseSelector(value);
  } catch (error) {
    errors.invalid(FieldPath.of(path), value, (error as Error).message);
  }
}

/** The value at `.spec.replicas`. */
export function at(object: unknown, path: string): unknown {
  let value = object;
  for (const step of path.split('.')) {
    if (step === '') continue;
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** The same value with keys in order, so that equal values have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}
