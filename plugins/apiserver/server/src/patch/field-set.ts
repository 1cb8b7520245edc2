/**
 * Sets of field paths, held in the very form FieldsV1 has: `{"f:spec":{"f:replicas":{}}}`. An empty object is a path that
 * is in the set; `.` marks one that is in the set besides paths below it. Sets are never changed in place once they are
 * made. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export interface FieldSet {
  readonly [path: string]: FieldSet;
}

export const MEMBER: FieldSet = Object.freeze({});

export function isEmptySet(set: FieldSet | undefined): boolean {
  if (set === undefined) return true;
  for (const _ in set) return false;
  return true;
}

/** As a node below the root: is the path that leads here in the set? */
export function isMember(node: FieldSet | undefined): boolean {
  return node !== undefined && (node['.'] !== undefined || isEmptySet(node));
}

/** A node from its parts; undefined when there is nothing in it. */
function nodeOf(member: boolean, children: Record<string, FieldSet>): FieldSet | undefined {
  if (isEmptySet(children)) return member ? MEMBER : undefined;
  return member ? { '.': MEMBER, ...children } : children;
}

/** Whole sets, not nodes: an empty root is the empty set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  return unionNodes(a, b);
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  const children: Record<string, FieldSet> = {};
  for (const key in a)
    if (key !== '.') children[key] = key in b ? unionNodes(a[key] as FieldSet, b[key] as FieldSet) : (a[key] as FieldSet);
  for (const key in b) if (key !== '.' && !(key in a)) children[key] = b[key] as FieldSet;
  return nodeOf(isMember(a) || isMember(b), children) ?? MEMBER;
}

/** Paths of `a` that are not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return children(a, (key, node) => (key in b ? differenceOfNodes(node, b[key] as FieldSet) : node));
}

function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  return nodeOf(isMember(a) && !isMember(b), difference(a, b));
}

/** Paths of `a` that neither are in `b` nor lie below a path of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return children(a, (key, node) => {
    const other = b[key];
    if (other === undefined) return node;
    return isMember(other) ? undefined : nodeOf(isMember(node), recursiveDifference(node, other));
  });
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return children(a, (key, node) => (key in b ? intersectionOfNodes(node, b[key] as FieldSet) : undefined));
}

function intersectionOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  return nodeOf(isMember(a) && isMember(b), intersection(a, b));
}

function children(set: FieldSet, change: (key: string, node: FieldSet) => FieldSet | undefined): Record<string, FieldSet> {
  const result: Record<string, FieldSet> = {};
  for (const key in set) {
    if (key === '.') continue;
    const node = change(key, set[key] as FieldSet);
    if (node !== undefined) result[key] = node;
  }
  return result;
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && sameSet(a[key] as FieldSet, b[key] as FieldSet));
}

/** The set with its keys in canonical order, as upstream writes them. */
export function sorted(set: FieldSet): FieldSet {
  const keys = Object.keys(set);
  if (keys.length === 0) return MEMBER;
  const result: Record<string, FieldSet> = {};
  for (const key of keys.sort()) result[key] = sorted(set[key] as FieldSet);
  return result;
}

/** Paths as conflicts print them: `.spec.containers[name="c"].image`. */
export function printPaths(set: FieldSet, prefix = ''): string[] {
  const lines: string[] = [];
  for (const key of Object.keys(set).sort()) {
    if (key === '.') continue;
    const node = set[key] as FieldSet;
    const path = prefix + printElement(key);
    if (isMember(node)) lines.push(path);
    lines.push(...printPaths(node, path));
  }
  return lines;
}

/** One path element as it is printed: `.image`, `[name="c"]`, `[="x"]`. */
export function printElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  if (element.startsWith('i:')) return `[${text}]`;
  const key = JSON.parse(text) as Record<string, unknown>;
  return `[${Object.keys(key)
    .map((name) => `${name}=${JSON.stringify(key[name])}`)
    .join(',')}]`;
}
