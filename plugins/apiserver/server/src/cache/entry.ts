import type { KubeObject } from '@kubernel/sdk/api';

/**
 * One object as the cache holds it: a single one-byte string, ready to be written to a socket. It is parsed only when a
 * strategy, an admission plugin or a selector asks, and the parsed copy is held weakly.
 */
export class Entry {
  readonly key: string;
  readonly revision: number;
  /** The object's JSON with resourceVersion in it. */
  readonly text: string;
  /** Where `"metadata":` starts in `text`: list items of built-in kinds are `{` and what follows from here. */
  readonly metadataAt: number;
  #parsed: WeakRef<KubeObject> | undefined;
  #selectable: Selectable | undefined;

  constructor(key: string, value: string, revision: number, selectable?: Selectable) {
    this.key = key;
    this.revision = revision;
    this.text = withResourceVersion(value, revision);
    this.metadataAt = Math.max(1, this.text.indexOf('"metadata":'));
    this.#selectable = selectable;
  }

  /** Shared: whoever wants to change it takes {@link clone}. */
  get object(): KubeObject {
    let parsed = this.#parsed?.deref();
    if (!parsed) {
      parsed = JSON.parse(this.text) as KubeObject;
      this.#parsed = new WeakRef(parsed);
    }
    return parsed;
  }

  clone(): KubeObject {
    return JSON.parse(this.text) as KubeObject;
  }

  /** The fields that selectors know have changed. */
  forgetSelectable(): void {
    this.#selectable = undefined;
  }

  selectable(fields: FieldExtractor): Selectable {
    this.#selectable ??= selectableOf(this.object, fields);
    return this.#selectable;
  }
}

/** What selectors match on, extracted once for each version of an object. */
export interface Selectable {
  labels: Readonly<Record<string, string>> | undefined;
  fields: Readonly<Record<string, string>>;
}

export type FieldExtractor = Readonly<Record<string, (object: KubeObject) => string>>;

export function selectableOf(object: KubeObject, extract: FieldExtractor): Selectable {
  const fields: Record<string, string> = {
    'metadata.name': object.metadata.name ?? '',
    'metadata.namespace': object.metadata.namespace ?? '',
  };
  for (const name in extract) fields[name] = extract[name]?.(object) ?? '';
  return { labels: object.metadata.labels, fields };
}

/**
 * Splices the revision in behind the uid, which the write path puts first. The result is flattened: a rope would keep
 * the value's string and two slices alive beside it, and be flattened by each reader's write again.
 */
export function withResourceVersion(value: string, revision: number): string {
  const open = value.indexOf('{', value.indexOf('"metadata":'));
  const nested = value.indexOf('{', open + 1);
  const uid = value.indexOf('"uid":"', open);
  // An object that came here without a uid (written by the kernel itself) may own one further down, which is not its own.
  const own = uid >= 0 && (nested < 0 || uid < nested);
  const at = own ? value.indexOf('"', uid + 7) + 1 : open + 1;
  const member = `"resourceVersion":"${revision}"`;
  const spliced = own
    ? `${value.slice(0, at)},${member}${value.slice(at)}`
    : `${value.slice(0, at)}${member}${value.charCodeAt(at) === CLOSING ? '' : ','}${value.slice(at)}`;
  // Reading a character makes one flat string of the parts.
  spliced.charCodeAt(0);
  return spliced;
}

/** `}` */
const CLOSING = 125;
