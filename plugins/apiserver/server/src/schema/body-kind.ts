import type { ApiGroup, ResourceDefinition } from '@kubernel/sdk';
import type { DecodeTarget } from '../codec.ts';
import type { ExactDocument } from './exact-json.ts';
import { KNOWN_VERSIONS } from './known-versions.ts';
import { isObject, jsonKind } from './reading.ts';

/**
 * What kind a body says it is, and whether that may be sent to a resource; the messages are upstream's
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/). A body that leaves kind or version out is taken for the target's.
 */
export interface BodyKind {
  group: string;
  version: string;
  kind: string;
}

export type Refusal = { refused: string };

/** Kinds every group version has. */
const META_KINDS = new Set([
  'Status',
  'ListOptions',
  'GetOptions',
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'WatchEvent',
]);

interface KnownKind {
  type: string;
  /** Upstream's unversioned Go type: `core.Pod`. Kinds that share it convert into each other. */
  internal: string;
}

export class KindCatalog {
  readonly #kinds = new Map<string, KnownKind>();
  readonly #byType = new Map<string, KnownKind>();

  constructor(groups: Iterable<ApiGroup>) {
    const definitions: ResourceDefinition[] = [...groups].flatMap(({ resources }) => resources);
    for (const { group, version, kind, type, storedAs } of definitions)
      this.#add(group, version, kind, type, `${goPackage(storedAs?.group ?? group)}.${kind}`);
    for (const definition of definitions) {
      const stored = definition.storedAs?.group ?? definition.group;
      const internal = `${goPackage(stored)}.${definition.kind}`;
      // versions upstream does not serve by default: their objects are understood, and then refused for their version
      for (const version of KNOWN_VERSIONS[definition.group] ?? [])
        this.#add(definition.group, version, definition.kind, definition.type, internal);
      for (const subresource of Object.values(definition.subresources ?? {})) {
        if ('kind' in subresource && subresource.kind?.type) {
          const { group: kindGroup, version, kind, type } = subresource.kind;
          this.#add(kindGroup, version, kind, type, `${goPackage(kindGroup)}.${kind}`);
        }
      }
    }
    this.#add('autoscaling', 'v1', 'Scale', 'autoscaling.v1.Scale', 'autoscaling.Scale');
  }

  #add(group: string, version: string, kind: string, type: string, internal: string): void {
    const known = { type, internal };
    const key = `${group}/${version}/${kind}`;
    if (!this.#kinds.has(key)) this.#kinds.set(key, known);
    if (!this.#byType.has(type)) this.#byType.set(type, known);
  }

  /** The type of a known kind. */
  typeNamed(apiVersion: string, kind: string): string | undefined {
    const [group, version] = split(apiVersion);
    return this.#kinds.get(`${group}/${version}/${kind}`)?.type;
  }

  /** The type to read a body as; before the version is compared, since upstream reads first. */
  typeOf({ group, version, kind }: BodyKind, target: DecodeTarget): { type: string } | Refusal {
    const known = this.#kinds.get(`${group}/${version}/${kind}`);
    if (known) return { type: known.type };
    if (META_KINDS.has(kind)) return { type: kind === target.kind ? target.type : 'meta.v1.Status' };
    if (kind === target.kind && joined(group, version) === target.apiVersion) return { type: target.type };
    return {
      refused: `no kind "${kind}" is registered for version "${joined(group, version)}" in scheme "${schemeOf(target)}"`,
    };
  }

  /** Why an object of one kind, once read, cannot stand for the target. */
  conversionRefusal({ group, version, kind }: BodyKind, target: DecodeTarget): string | undefined {
    if (META_KINDS.has(kind) && kind === target.kind) return undefined;
    const wanted = this.#byType.get(target.type)?.internal ?? `${target.type.split('.')[0]}.${target.kind}`;
    const given = this.#kinds.get(`${group}/${version}/${kind}`)?.internal;
    if (given === wanted || (kind === target.kind && joined(group, version) === target.apiVersion)) return undefined;
    return `converting (${version}.${kind}) to (${wanted}): unknown conversion`;
  }
}

export function versionRefusal({ group, version, kind }: BodyKind, target: DecodeTarget): string | undefined {
  if (META_KINDS.has(kind)) return undefined;
  const given = joined(group, version);
  return given === target.apiVersion
    ? undefined
    : `the API version in the data (${given}) does not match the expected API version (${target.apiVersion})`;
}

/** kind and apiVersion of a body, with the target's for what is missing; or why they cannot be read. */
export function bodyKindOf(document: ExactDocument, target: DecodeTarget): BodyKind | Refusal {
  const { value } = document;
  const [targetGroup, targetVersion] = split(target.apiVersion);
  if (value === null || value === undefined) return { group: targetGroup, version: targetVersion, kind: target.kind };
  if (!isObject(value)) {
    return {
      refused: `json: cannot unmarshal ${jsonKind(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    };
  }
  for (const key of document.keysOf(value)) {
    const field = key.toLowerCase() === 'kind' ? 'kind' : key.toLowerCase() === 'apiversion' ? 'apiVersion' : undefined;
    const item = value[key];
    if (field && item !== null && typeof item !== 'string') {
      return { refused: `json: cannot unmarshal ${jsonKind(item)} into Go struct field .${field} of type string` };
    }
  }
  const apiVersion = typeof value.apiVersion === 'string' ? value.apiVersion : '';
  if (apiVersion.split('/').length > 2) return { refused: `unexpected GroupVersion string: ${apiVersion}` };
  const [group, version] = apiVersion === '' ? [targetGroup, targetVersion] : split(apiVersion);
  const kind = typeof value.kind === 'string' && value.kind !== '' ? value.kind : target.kind;
  return { group, version: version === '' && group === targetGroup ? targetVersion : version, kind };
}

/** What upstream shows of a body it could not recognise. */
export function bodySummary(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return '<empty>';
  if (text.startsWith('{')) return bytes.length > 30 ? `${bytes.subarray(0, 30).toString()} ...` : text;
  return bytes.length > 30 ? `${bytes.subarray(0, 30).toString('hex')} ...` : bytes.toString('hex');
}

function split(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

function joined(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Upstream is three API servers in one, and each names the place where it lists its kinds. */
function schemeOf({ apiVersion }: DecodeTarget): string {
  const [group] = split(apiVersion);
  if (group === 'apiextensions.k8s.io') return 'pkg/apiserver/apiserver.go:55';
  if (group === 'apiregistration.k8s.io') return 'pkg/apiserver/scheme/scheme.go:28';
  return 'pkg/api/legacyscheme/scheme.go:30';
}

/** The Go package of a group's unversioned types. */
function goPackage(group: string): string {
  if (group === '') return 'core';
  if (group === 'rbac.authorization.k8s.io') return 'rbac';
  return group.split('.')[0] ?? group;
}
