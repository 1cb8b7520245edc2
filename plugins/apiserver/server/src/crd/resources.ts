import type { ResourceDefinition, Subresource } from '@kubernel/sdk';
import { CHANGE_VERBS, fieldTexts, type KubeObject } from '@kubernel/sdk/api';
import type { Entry } from '../cache/entry.ts';
import { withResourceVersion } from '../cache/entry.ts';
import { encodeStored } from '../codec.ts';
import { CustomType } from './custom-type.ts';
import type { CustomResourceDefinition, Version } from './definition.ts';
import { tableOfColumns } from './printer-columns.ts';
import { at, customStatusStrategy, customStrategy, type Facts } from './strategy.ts';

/** What a CustomResourceDefinition makes the API server serve. */
export interface CustomResources {
  readonly definitions: ResourceDefinition[];
  readonly types: CustomType[];
  /** The text of a stored object in a version; by type name. */
  readonly converters: ReadonlyMap<string, (entry: Entry) => string>;
}

/** Upstream's order, which discovery shows. */
const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'] as const;

/**
 * `load` gives the definition again when its schemas are needed, so that an idle one costs little memory. Objects written at a later
 * revision than `since` have passed the present schema and are served as they are stored.
 */
export function customResources(
  crd: CustomResourceDefinition,
  load: () => CustomResourceDefinition | undefined,
  since: number,
  terminating: () => boolean,
): CustomResources {
  const { spec } = crd;
  const { group, names } = spec;
  const stored = spec.versions.find(({ storage }) => storage) as Version;
  const typeOf = ({ name }: Version): CustomType =>
    new CustomType(group, name, names.kind, () => load()?.spec.versions.find((version) => version.name === name)?.schema?.openAPIV3Schema);
  const storedType = typeOf(stored);
  const types = [storedType];
  const definitions: ResourceDefinition[] = [];
  const converters = new Map<string, (entry: Entry) => string>();
  for (const version of spec.versions) {
    if (!version.served) continue;
    const type = version === stored ? storedType : typeOf(version);
    if (type !== storedType) {
      type.stored = storedType;
      types.push(type);
    }
    definitions.push(define(crd, version, type, storedType, terminating));
    converters.set(type.name, converter(type, since));
  }
  return { definitions, types, converters };
}

function define(
  crd: CustomResourceDefinition,
  { schema: _schema, ...version }: Version,
  type: CustomType,
  stored: CustomType,
  terminating: () => boolean,
): ResourceDefinition {
  const { group, names, scope } = crd.spec;
  const facts: Facts = { type, version, namespaced: scope === 'Namespaced', terminating };
  const fields = version.selectableFields?.map(({ jsonPath }) => jsonPath.replace(/^\./, ''));
  const warning = version.deprecated ? (version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`) : undefined;
  return {
    custom: true,
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    ...(names.shortNames?.length ? { shortNames: names.shortNames } : {}),
    ...(names.categories?.length ? { categories: names.categories } : {}),
    namespaced: facts.namespaced,
    verbs: VERBS,
    type: type.name,
    ...(type === stored
      ? {}
      : {
          storedAs: {
            version: stored.version,
            toStored: (object: KubeObject) => type.toStored(object),
            fromStored: (object: KubeObject) => type.fromStored(object),
          },
        }),
    ...(warning ? { deprecated: warning } : {}),
    ...(crd.spec.conversion?.strategy === 'Webhook' && type !== stored ? { unavailable: noWebhook(type) } : {}),
    strategy: customStrategy(facts),
    subresources: subresourcesOf(version, facts),
    ...(fields ? { selectableFields: fieldTexts(...fields) } : {}),
    table: tableOfColumns(version.additionalPrinterColumns),
  };
}

function noWebhook({ apiVersion, kind }: CustomType): string {
  return `conversion webhook for ${apiVersion}, Kind=${kind} failed: this API server does not call conversion webhooks; use the stored version`;
}

function subresourcesOf({ subresources }: Version, facts: Facts): Record<string, Subresource> {
  const { status, scale } = subresources ?? {};
  const selector = scale?.labelSelectorPath;
  return {
    ...(status ? { status: { type: 'status', verbs: CHANGE_VERBS, strategy: customStatusStrategy(facts) } } : {}),
    ...(scale
      ? {
          scale: {
            type: 'scale',
            specReplicasPath: scale.specReplicasPath,
            statusReplicasPath: scale.statusReplicasPath,
            labelSelector: (object: KubeObject) => (selector ? String(at(object, selector) ?? '') : ''),
          },
        }
      : {}),
  };
}

/** Another version, or what an older schema let in, is read once for each version of the object, as long as somebody uses it. */
function converter(type: CustomType, since: number): (entry: Entry) => string {
  const texts = new WeakMap<Entry, string>();
  const asStored = type.stored === undefined;
  return (entry) => {
    if (asStored && entry.revision > since) return entry.text;
    let text = texts.get(entry);
    if (text === undefined) {
      text = withResourceVersion(encodeStored(type.fromStored(entry.clone())), entry.revision);
      texts.set(entry, text);
    }
    return text;
  };
}
