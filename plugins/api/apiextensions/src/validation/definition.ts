import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  byteLength,
  checkClientConfig,
  checkImmutable,
  dns1035LabelName,
  dns1123Subdomain,
  FieldPath,
  goJson,
  nameIsDNSSubdomain,
  PrintedValue,
  semanticEqual,
  validateObjectMeta,
} from '@kubernel/sdk/api';
import { checkSchema } from './schema.ts';
import { checkColumns, checkSelectableFields, checkSubresources } from './served.ts';

/**
 * Definitions of custom resources. Upstream checks them in an internal form: what all versions have alike stands at the
 * top of the spec there, and errors name it so.
 */

const SPEC = FieldPath.of('spec');
const PER_VERSION = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;
const SCOPES = ['Cluster', 'Namespaced'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

const versionsOf = (object: Decoded): Decoded[] => object.spec?.versions ?? [];

/** The fields that all versions share, which the internal form has once. */
function sharedFields(versions: readonly Decoded[]): string[] {
  const [first] = versions;
  return PER_VERSION.filter((field) => first && versions.every((version) => semanticEqual(version[field], first[field])));
}

export function checkMetadata(object: Decoded, errors: FieldErrors): void {
  const { names = {}, group = '' } = object.spec ?? {};
  const required = `${names.plural ?? ''}.${group}`;
  const check = (name: string, prefix: boolean): string[] => [
    ...nameIsDNSSubdomain(name, prefix),
    ...(name === required ? [] : ['must be spec.names.plural+"."+spec.group']),
  ];
  validateObjectMeta(object.metadata, { namespaced: false, name: check }, errors);
}

export function checkDefinition(object: Decoded, errors: FieldErrors): void {
  checkSpec(object, errors);
  checkAcceptedNames(object, errors);
  checkStoredVersions(object, errors);
  if (object.spec?.preserveUnknownFields) {
    const advice = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.invalid(SPEC.child('preserveUnknownFields'), true, advice);
  }
}

function checkSpec(object: Decoded, errors: FieldErrors): void {
  const spec: Decoded = object.spec ?? {};
  const { group = '', scope = '', names = {}, conversion } = spec;
  const versions = versionsOf(object);
  const shared = sharedFields(versions);
  const groupMessages = dns1123Subdomain(group);
  if (!group) errors.required(SPEC.child('group'));
  else if (groupMessages.length > 0) errors.invalid(SPEC.child('group'), group, groupMessages.join(','));
  else if (!group.includes('.')) errors.invalid(SPEC.child('group'), group, 'should be a domain with at least one dot');
  checkChoice(scope, SCOPES, SPEC.child('scope'), errors);
  versions.forEach(({ schema }, i) => {
    if (!schema?.openAPIV3Schema) errors.required(SPEC.child('versions').index(i).child('schema', 'openAPIV3Schema'));
  });
  checkVersions(versions, shared, errors, !!spec.versions);
  for (const field of ['plural', 'singular', 'kind', 'listKind']) if (!names[field]) errors.required(SPEC.child('names', field));
  checkNames(names, SPEC.child('names'), errors);
  const [first] = versions;
  if (first) checkVersionFields(first, SPEC, errors, (field) => shared.includes(field), 'validation');
  if (conversion) checkConversion(conversion, SPEC.child('conversion'), errors);
}

function checkChoice(value: string, choices: readonly string[], path: FieldPath, errors: FieldErrors): void {
  if (!value) errors.required(path);
  else if (!choices.includes(value)) errors.notSupported(path, value, choices);
}

function checkVersions(versions: readonly Decoded[], shared: readonly string[], errors: FieldErrors, isThere: boolean): void {
  const path = SPEC.child('versions');
  versions.forEach((version, i) => {
    const { name = '', deprecated, deprecationWarning: warning } = version;
    const messages = dns1035LabelName(name);
    if (messages.length > 0) errors.invalid(path.index(i).child('name'), name, messages.join(','));
    if (warning != null) checkDeprecation(warning, !!deprecated, path.index(i).child('deprecationWarning'), errors);
    checkVersionFields(version, path.index(i), errors, (field) => !shared.includes(field), 'schema');
  });
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    errors.invalid(path, printVersions(versions, shared), 'must contain unique version names');
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.invalid(path, isThere ? printVersions(versions, shared) : null, 'must have exactly one version marked as storage version');
  }
  const first = versions[0]?.name ?? '';
  const messages = first ? dns1035LabelName(first) : [];
  if (messages.length > 0) errors.invalid(SPEC.child('version'), first, messages.join(','));
}

function checkDeprecation(warning: string, deprecated: boolean, path: FieldPath, errors: FieldErrors): void {
  if (!deprecated) errors.invalid(path, warning, 'can only be set for deprecated versions');
  else if (warning === '') errors.invalid(path, warning, 'must not be an empty string');
  else if (byteLength(warning) > 256) errors.invalid(path, warning, 'must be <= 256 characters long');
  const at = [...warning].findIndex((char) => !/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char));
  if (deprecated && at >= 0)
    errors.invalid(path, warning, `must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
}

/** Checks those fields of a version that `here` lets through. */
function checkVersionFields(
  version: Decoded,
  path: FieldPath,
  errors: FieldErrors,
  here: (field: string) => boolean,
  schemaField: string,
): void {
  const schema = version.schema?.openAPIV3Schema;
  if (here('schema') && schema) checkSchema(schema, path.child(schemaField, 'openAPIV3Schema'), errors, !!version.subresources?.status);
  if (here('subresources') && version.subresources) checkSubresources(version.subresources, path.child('subresources'), errors);
  if (here('additionalPrinterColumns'))
    checkColumns(version.additionalPrinterColumns ?? [], path.child('additionalPrinterColumns'), errors);
  if (here('selectableFields')) checkSelectableFields(version.selectableFields ?? [], schema ?? {}, path.child('selectableFields'), errors);
}

function printVersions(versions: readonly Decoded[], shared: readonly string[]): unknown {
  if (versions.length === 0) return versions;
  const own = (version: Decoded, field: string): unknown => (shared.includes(field) ? null : (version[field] ?? null));
  return new PrintedValue(
    goJson(
      versions.map((version) => ({
        Name: version.name ?? '',
        Served: version.served ?? false,
        Storage: version.storage ?? false,
        Deprecated: version.deprecated ?? false,
        DeprecationWarning: version.deprecationWarning ?? null,
        Schema: own(version, 'schema'),
        Subresources: own(version, 'subresources'),
        AdditionalPrinterColumns: own(version, 'additionalPrinterColumns'),
        SelectableFields: own(version, 'selectableFields'),
      })),
    ),
  );
}

function checkNames(names: Decoded, path: FieldPath, errors: FieldErrors): void {
  const label = (value: string | undefined, at: FieldPath): void => {
    const messages = value ? dns1035LabelName(value) : [];
    if (messages.length > 0) errors.invalid(at, value, messages.join(','));
  };
  const mixed = (value: string | undefined, at: FieldPath): void => {
    const messages = value ? dns1035LabelName(value.toLowerCase()) : [];
    if (messages.length > 0) errors.invalid(at, value, `may have mixed case, but should otherwise match: ${messages.join(',')}`);
  };
  label(names.plural, path.child('plural'));
  label(names.singular, path.child('singular'));
  mixed(names.kind, path.child('kind'));
  mixed(names.listKind, path.child('listKind'));
  const each = (items: readonly string[], at: FieldPath): void => {
    items.forEach((item, i) => {
      const messages = dns1035LabelName(item);
      if (messages.length > 0) errors.invalid(at.index(i), item, messages.join(','));
    });
  };
  each(names.shortNames ?? [], path.child('shortNames'));
  if (names.kind && names.kind === names.listKind)
    errors.invalid(path.child('listKind'), names.listKind, 'kind and listKind may not be the same');
  each(names.categories ?? [], path.child('categories'));
}

function checkConversion({ strategy = '', webhook }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const config = webhook?.clientConfig;
  const versions: string[] = webhook?.conversionReviewVersions ?? [];
  checkChoice(strategy, ['None', 'Webhook'], path.child('strategy'), errors);
  if (strategy === 'Webhook') {
    if (config) checkClientConfig(config, path.child('webhookClientConfig'), errors, true);
    else errors.required(path.child('webhookClientConfig'), 'required when strategy is set to Webhook');
    checkReviewVersions(versions, path.child('conversionReviewVersions'), errors);
    return;
  }
  if (config) errors.forbidden(path.child('webhookClientConfig'), 'should not be set when strategy is not set to Webhook');
  if (versions.length > 0)
    errors.forbidden(path.child('conversionReviewVersions'), 'should not be set when strategy is not set to Webhook');
}

function checkReviewVersions(versions: readonly string[], path: FieldPath, errors: FieldErrors): void {
  if (versions.length === 0) {
    errors.required(path);
    return;
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) errors.invalid(path.index(i), version, 'duplicate version');
    else errors.invalidEach(path.index(i), version, dns1035LabelName(version));
  });
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    errors.invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`);
}

export function checkAcceptedNames(object: Decoded, errors: FieldErrors): void {
  checkNames(object.status?.acceptedNames ?? {}, FieldPath.of('status', 'acceptedNames'), errors);
}

function checkStoredVersions(object: Decoded, errors: FieldErrors): void {
  const path = FieldPath.of('status', 'storedVersions');
  const stored: string[] = object.status?.storedVersions ?? [];
  const names = versionsOf(object).map(({ name }) => name ?? '');
  if (stored.length === 0) errors.invalid(path, null, 'must have at least one stored version');
  stored.forEach((version, i) => {
    if (!names.includes(version))
      errors.invalid(
        path.index(i),
        version,
        'missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions'.replaceAll(
          ' v1 ',
          ` ${version} `,
        ),
      );
  });
}

export function checkDefinitionUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  checkSpec(object, errors);
  const isEstablished = (old.status?.conditions ?? []).some(({ type, status }: Decoded) => type === 'Established' && status === 'True');
  if (isEstablished) {
    checkImmutable(object.spec?.scope, old.spec?.scope, SPEC.child('scope'), errors);
    checkImmutable(object.spec?.names?.kind, old.spec?.names?.kind, SPEC.child('names', 'kind'), errors);
  }
  checkImmutable(object.spec?.group, old.spec?.group, SPEC.child('group'), errors);
  checkImmutable(object.spec?.names?.plural, old.spec?.names?.plural, SPEC.child('names', 'plural'), errors);
  checkAcceptedNames(object, errors);
  checkStoredVersions(object, errors);
}
