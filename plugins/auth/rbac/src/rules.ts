/** What a rule covers. https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
import type { AuthzAttributes } from '@kubernel/sdk';

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const ALL = '*';

export function ruleAllows(rule: PolicyRule, a: AuthzAttributes): boolean {
  if (!has(rule.verbs, a.verb)) return false;
  if (!a.resourceRequest) return rule.nonResourceURLs?.some((pattern) => urlMatches(pattern, a.path)) ?? false;
  return (
    has(rule.apiGroups, a.group) &&
    resourceMatches(rule.resources, a.resource, a.subresource) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(a.name))
  );
}

function has(list: readonly string[] | undefined, wanted: string): boolean {
  return list !== undefined && (list.includes(ALL) || list.includes(wanted));
}

function resourceMatches(resources: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (!resources) return false;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  for (const rule of resources) {
    if (rule === ALL || rule === combined) return true;
    if (subresource && rule.length === subresource.length + 2 && rule.startsWith('*/') && rule.endsWith(subresource)) return true;
  }
  return false;
}

function urlMatches(pattern: string, path: string): boolean {
  if (pattern === ALL || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(trimStars(pattern));
}

function trimStars(pattern: string): string {
  return pattern.replace(/\*+$/, '');
}

/** Those of `wanted` that nobody in `owned` covers, split into the smallest rules. Empty: all are covered. */
export function uncovered(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => covers(rule, part)));
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (rule.resourceNames?.length) for (const name of rule.resourceNames) parts.push({ ...part, resourceNames: [name] });
        else parts.push(part);
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  return parts;
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  return (
    hasEach(owner.verbs, part.verbs) &&
    hasEach(owner.apiGroups, part.apiGroups) &&
    resourcesCover(owner.resources, part.resources) &&
    (part.nonResourceURLs ?? []).every((url) => owner.nonResourceURLs?.some((pattern) => urlMatches(pattern, url)) ?? false) &&
    (!owner.resourceNames?.length || ((part.resourceNames?.length ?? 0) > 0 && hasEach(owner.resourceNames, part.resourceNames)))
  );
}

function hasEach(owner: readonly string[] | undefined, parts: readonly string[] | undefined): boolean {
  return (parts ?? []).every((part) => owner !== undefined && (owner.includes(ALL) || owner.includes(part)));
}

function resourcesCover(owner: readonly string[] | undefined, parts: readonly string[] | undefined): boolean {
  return (parts ?? []).every((part) => {
    if (!owner) return false;
    if (owner.includes(ALL) || owner.includes(part)) return true;
    const slash = part.indexOf('/');
    return slash >= 0 && owner.includes(`*${part.slice(slash)}`);
  });
}

/** Joins rules that differ in their verbs only. */
export function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const joined = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.apiGroups?.length !== 1 || rule.resources?.length !== 1 || (rule.resourceNames?.length ?? 0) > 1) {
      others.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []]);
    const known = joined.get(key);
    if (known) known.verbs.push(...rule.verbs.filter((verb) => !known.verbs.includes(verb)));
    else joined.set(key, { ...rule, verbs: [...rule.verbs] });
  }
  return [...others, ...joined.values()];
}

/** `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`, as denials print a rule. */
export function printRule(rule: PolicyRule): string {
  const parts: [string, string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  return `{${parts
    .filter(([, list]) => list?.length)
    .map(([title, list]) => `${title}:${printList(list ?? [])}`)
    .join(', ')}}`;
}

/** A list as Go's `%q` prints it. */
export function printList(list: readonly string[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(' ')}]`;
}
