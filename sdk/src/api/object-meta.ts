import type { FieldErrors } from './field-errors.ts';
import { FieldPath, goJson, PrintedValue, quote } from './field-errors.ts';
import type { NameCheck } from './names.ts';
import { byteLength, nameIsDNSLabel, nameIsDNSSubdomain, qualifiedName } from './names.ts';
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object.ts';
import { validateLabels } from './selector.ts';

/**
 * metadata as upstream checks it, in upstream's order. Two sets of rules exist: the generic ones hold for every
 * object, and the built-in kinds add one about finalizer names (`kubeFinalizers`). On update the API server runs the
 * generic ones once, and most kinds run them again: clients do see some causes twice.
 */

export const ANNOTATIONS_MAX_BYTES = 256 * 1024;
export const IMMUTABLE = 'field is immutable';
const STANDARD_FINALIZERS: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];
const METADATA = FieldPath.of('metadata');

export interface ObjectMetaRules {
  namespaced: boolean;
  /** Default: a DNS subdomain. */
  name?: NameCheck;
  /** Check only the name that came out of generateName, as newer kinds do. */
  nameOnly?: boolean;
  /** Also refuse unqualified finalizers, as the built-in kinds do. */
  kubeFinalizers?: boolean;
  /** Where the metadata stands; default `metadata`. */
  path?: FieldPath;
}

export function validateObjectMeta(meta: ObjectMeta, rules: ObjectMetaRules, errors: FieldErrors): void {
  const path = rules.path ?? METADATA;
  const nameCheck = rules.name ?? nameIsDNSSubdomain;
  if (meta.generateName && !rules.nameOnly)
    errors.invalidEach(path.child('generateName'), meta.generateName, nameCheck(meta.generateName, true));
  if (!meta.name) errors.required(path.child('name'), 'name or generateName is required');
  else errors.invalidEach(path.child('name'), meta.name, nameCheck(meta.name, false));
  if (rules.namespaced) {
    if (!meta.namespace) errors.required(path.child('namespace'));
    else errors.invalidEach(path.child('namespace'), meta.namespace, nameIsDNSLabel(meta.namespace, false));
  } else if (meta.namespace) {
    errors.forbidden(path.child('namespace'), 'not allowed on this type');
  }
  if ((meta.generation ?? 0) < 0) errors.invalid(path.child('generation'), meta.generation, 'must be greater than or equal to 0');
  validateLabels(meta.labels, path.child('labels'), errors);
  validateAnnotations(meta.annotations, path.child('annotations'), errors);
  validateOwnerReferences(meta.ownerReferences, path.child('ownerReferences'), errors);
  validateFinalizers(meta.finalizers, path.child('finalizers'), errors);
  validateManagedFields(meta.managedFields, path.child('managedFields'), errors);
  if (rules.kubeFinalizers) validateKubeFinalizers(meta.finalizers, path.child('finalizers'), errors);
}

/** The rules of an update. metadata.resourceVersion must be there: the API server puts it in for unconditional updates. */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  errors: FieldErrors,
  rules: Pick<ObjectMetaRules, 'kubeFinalizers' | 'path'> = {},
): void {
  const path = rules.path ?? METADATA;
  if (old.deletionTimestamp) {
    const extra = (meta.finalizers ?? []).filter((name) => !old.finalizers?.includes(name)).sort();
    if (extra.length) {
      const list = `[]string{${[...new Set(extra)].map(quote).join(', ')}}`;
      errors.forbidden(
        path.child('finalizers'),
        `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
      );
    }
  }
  if (!meta.resourceVersion) errors.invalid(path.child('resourceVersion'), meta.resourceVersion ?? '', 'must be specified for an update');
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    errors.invalid(path.child('generation'), meta.generation ?? 0, 'must not be decremented');
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if ((meta[field] ?? '') !== (old[field] ?? '')) errors.invalid(path.child(field), meta[field] ?? '', IMMUTABLE);
  }
  for (const field of ['creationTimestamp', 'deletionTimestamp'] as const) {
    if (!sameTime(meta[field], old[field])) errors.invalid(path.child(field), meta[field], IMMUTABLE);
  }
  if (meta.deletionGracePeriodSeconds !== old.deletionGracePeriodSeconds) {
    errors.invalid(path.child('deletionGracePeriodSeconds'), meta.deletionGracePeriodSeconds, IMMUTABLE);
  }
  validateLabels(meta.labels, path.child('labels'), errors);
  validateAnnotations(meta.annotations, path.child('annotations'), errors);
  validateOwnerReferences(meta.ownerReferences, path.child('ownerReferences'), errors);
  validateManagedFields(meta.managedFields, path.child('managedFields'), errors);
  if (rules.kubeFinalizers) validateKubeFinalizers(meta.finalizers, path.child('finalizers'), errors);
}

function sameTime(a: string | null | undefined, b: string | null | undefined): boolean {
  if (!a || !b) return !a === !b;
  return a === b || Date.parse(a) === Date.parse(b);
}

/** Annotation keys are label keys in any case; the sizes of all keys and values count together. */
export function validateAnnotations(annotations: Record<string, string> | undefined, path: FieldPath, errors: FieldErrors): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.invalidEach(path, key, qualifiedName(key.toLowerCase()));
    bytes += byteLength(key) + byteLength(value);
  }
  if (bytes > ANNOTATIONS_MAX_BYTES) errors.tooLong(path, ANNOTATIONS_MAX_BYTES);
}

function validateOwnerReferences(references: OwnerReference[] | undefined, path: FieldPath, errors: FieldErrors): void {
  let controller: string | undefined;
  for (const reference of references ?? []) {
    const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
    const version = apiVersion === '/' ? '' : apiVersion.slice(apiVersion.indexOf('/') + 1);
    if (version === '' || apiVersion.split('/').length > 2)
      errors.invalid(path.child('apiVersion'), apiVersion, 'version must not be empty');
    if (kind === '') errors.invalid(path.child('kind'), kind, 'must not be empty');
    if (name === '') errors.invalid(path.child('name'), name, 'must not be empty');
    if (uid === '') errors.invalid(path.child('uid'), uid, 'must not be empty');
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.invalid(path, ownerReferenceValue(reference), '/v1, Kind=Event is disallowed from being an owner');
    }
    if (!reference.controller) continue;
    const current = `${kind}/${name}`;
    if (controller === undefined) controller = current;
    else {
      const value = new PrintedValue(`[${(references ?? []).map((item) => ownerReferenceValue(item).text).join(',')}]`);
      errors.invalid(
        path,
        value,
        `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`,
      );
    }
  }
}

function ownerReferenceValue({
  apiVersion = '',
  kind = '',
  name = '',
  uid = '',
  controller,
  blockOwnerDeletion,
}: OwnerReference): PrintedValue {
  return new PrintedValue(goJson({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }));
}

function validateFinalizers(finalizers: string[] | undefined, path: FieldPath, errors: FieldErrors): void {
  for (const finalizer of finalizers ?? []) errors.invalidEach(path, finalizer, qualifiedName(finalizer));
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set');
  }
}

/** The built-in kinds' own rule: a finalizer without a domain must be one of the standard ones. */
export function validateKubeFinalizers(finalizers: string[] | undefined, path: FieldPath, errors: FieldErrors): void {
  finalizers?.forEach((finalizer, i) => {
    if (!finalizer.includes('/') && !STANDARD_FINALIZERS.includes(finalizer)) {
      errors.invalid(path.index(i), finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
    }
  });
}

function validateManagedFields(entries: ManagedFieldsEntry[] | undefined, path: FieldPath, errors: FieldErrors): void {
  entries?.forEach((entry, i) => {
    const at = path.index(i);
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.invalid(at.child('operation'), entry.operation ?? '', 'must be `Apply` or `Update`');
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') errors.invalid(at.child('fieldsType'), entry.fieldsType, 'must be `FieldsV1`');
    validateFieldManager(entry.manager ?? '', at.child('manager'), errors);
    if (byteLength(entry.subresource ?? '') > 256) errors.tooLong(at.child('subresource'), 256);
  });
}

/** A field manager: at most 128 bytes, printable. Also checks the `fieldManager` query parameter. */
export function validateFieldManager(manager: string, path: FieldPath, errors: FieldErrors): void {
  if (byteLength(manager) > 128) errors.tooLong(path, 128);
  let position = 0;
  for (const char of manager) {
    if (!/[\x20\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.invalid(path, manager, `invalid character U+${code} (at position ${position})`);
    }
    position += byteLength(char);
  }
}
