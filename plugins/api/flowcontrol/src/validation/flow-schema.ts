import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { dns1123Label, FieldPath, goJson, nameIsDNSSubdomain, PrintedValue } from '@kubernel/sdk/api';

/** Flow schemas (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/). */

const SPEC = FieldPath.of('spec');
const MAX_PRECEDENCE = 10_000;
const METHODS = ['ByNamespace', 'ByUser'];
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const SUBJECTS = [
  { kind: 'Group', field: 'group' },
  { kind: 'ServiceAccount', field: 'serviceAccount' },
  { kind: 'User', field: 'user' },
];

export function checkFlowSchema(object: Decoded, errors: FieldErrors): void {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules } = object.spec ?? {};
  const at = SPEC.child('matchingPrecedence');
  if (precedence <= 0) errors.invalid(at, precedence, 'must be a positive value');
  if (precedence > MAX_PRECEDENCE) errors.invalid(at, precedence, `must not be greater than ${MAX_PRECEDENCE}`);
  if (precedence === 1 && object.metadata?.name !== 'exempt')
    errors.invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  if (distinguisherMethod && !METHODS.includes(distinguisherMethod.type)) {
    errors.notSupported(
      SPEC.child('distinguisherMethod', 'type'),
      new PrintedValue(goJson({ Type: distinguisherMethod.type ?? '' })),
      METHODS,
    );
  }
  const { name = '' } = priorityLevelConfiguration ?? {};
  const nameAt = SPEC.child('priorityLevelConfiguration', 'name');
  if (name) errors.invalidEach(nameAt, name, nameIsDNSSubdomain(name, false));
  else errors.required(nameAt, 'must reference a priority level');
  (rules ?? []).forEach((rule: Decoded, i: number) => {
    checkRule(rule, SPEC.child('rules').index(i), errors);
  });
  checkConditions(object, errors);
}

export function checkConditions(object: Decoded, errors: FieldErrors): void {
  const types = new Set<string>();
  (object.status?.conditions ?? []).forEach(({ type = '' }: Decoded, i: number) => {
    const at = FieldPath.of('status', 'conditions').index(i).child('type');
    if (types.has(type)) errors.duplicate(at, type);
    types.add(type);
    if (!type) errors.required(at, 'must not be empty');
  });
}

function checkRule({ subjects, resourceRules, nonResourceRules }: Decoded, path: FieldPath, errors: FieldErrors): void {
  (subjects ?? []).forEach((subject: Decoded, i: number) => {
    checkSubject(subject, path.child('subjects').index(i), errors);
  });
  if (!subjects?.length) errors.required(path.child('subjects'), 'subjects must contain at least one value');
  if (!resourceRules?.length && !nonResourceRules?.length)
    errors.required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty');
  (resourceRules ?? []).forEach((rule: Decoded, i: number) => {
    checkResourceRule(rule, path.child('resourceRules').index(i), errors);
  });
  (nonResourceRules ?? []).forEach((rule: Decoded, i: number) => {
    checkNonResourceRule(rule, path.child('nonResourceRules').index(i), errors);
  });
}

function checkSubject(subject: Decoded, path: FieldPath, errors: FieldErrors): void {
  const own = SUBJECTS.find(({ kind }) => kind === subject.kind);
  if (!own) {
    errors.notSupported(
      path.child('kind'),
      subject.kind ?? '',
      SUBJECTS.map(({ kind }) => kind),
    );
    return;
  }
  const at = path.child(own.field);
  const value = subject[own.field];
  if (!value) {
    errors.required(at, `${own.field} is required when subject kind is '${own.kind}'`);
  } else {
    const { name = '', namespace = '' } = value;
    const isAccount = own.kind === 'ServiceAccount';
    if (!name) errors.required(at.child('name'));
    else if (isAccount && name !== '*') errors.invalidEach(at.child('name'), name, nameIsDNSSubdomain(name, false));
    if (isAccount && namespace) errors.invalidEach(at.child('namespace'), namespace, dns1123Label(namespace));
    else if (isAccount) errors.required(at.child('namespace'), 'must specify namespace for service account');
  }
  for (const field of ['serviceAccount', 'user', 'group']) {
    const other = SUBJECTS.find((item) => item.field === field);
    if (other && other !== own && subject[field])
      errors.forbidden(path.child(field), `${field} is forbidden when subject kind is not '${other.kind}'`);
  }
}

function checkVerbs(verbs: readonly string[], path: FieldPath, errors: FieldErrors): void {
  if (verbs.length === 0) errors.required(path, 'verbs must contain at least one value');
  else if (!checkWildcard(verbs, 'verbs', path, errors) && !verbs.every((verb) => VERBS.includes(verb)))
    errors.notSupported(path, verbs, VERBS);
}

/** Whether the wildcard is there, which then stands alone. */
function checkWildcard(items: readonly string[], what: string, path: FieldPath, errors: FieldErrors): boolean {
  if (!items.includes('*')) return false;
  if (items.length > 1) errors.invalid(path, items, `if '*' is present, must not specify other ${what}`);
  return true;
}

function checkResourceRule(rule: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkVerbs(rule.verbs ?? [], path.child('verbs'), errors);
  for (const [field, one, many] of [
    ['apiGroups', 'api group', 'api groups'],
    ['resources', 'resource', 'resources'],
  ] as const) {
    const items: string[] = rule[field] ?? [];
    if (items.length === 0) errors.required(path.child(field), `resource rules must supply at least one ${one}`);
    else checkWildcard(items, many, path.child(field), errors);
  }
  const namespaces: string[] = rule.namespaces ?? [];
  const at = path.child('namespaces');
  if (namespaces.length === 0 && !rule.clusterScope) {
    errors.required(at, 'resource rules that are not cluster scoped must supply at least one namespace');
  } else if (!checkWildcard(namespaces, 'namespaces', at, errors)) {
    namespaces.forEach((namespace, i) => {
      for (const message of dns1123Label(namespace))
        errors.invalid(at.index(i), namespace, `each member of this list must be '*' or a DNS-1123 label; ${message}`);
    });
  }
}

function checkNonResourceRule(rule: Decoded, path: FieldPath, errors: FieldErrors): void {
  checkVerbs(rule.verbs ?? [], path.child('verbs'), errors);
  const urls: string[] = rule.nonResourceURLs ?? [];
  const at = path.child('nonResourceURLs');
  if (urls.length === 0) errors.required(at, 'nonResourceURLs must contain at least one value');
  else if (!checkWildcard(urls, 'non-resource URLs', at, errors)) for (const [i, url] of urls.entries()) checkUrl(url, at.index(i), errors);
}

function checkUrl(url: string, path: FieldPath, errors: FieldErrors): void {
  const inner = url.slice(0, -1);
  if (url === '') errors.invalid(path, url, 'must not be empty');
  else if (url === '/') return;
  else if (!url.startsWith('/')) errors.invalid(path, url, 'must start with slash');
  else if (url.includes(' ')) errors.invalid(path, url, 'must not contain white-space');
  else if (url.includes('//')) errors.invalid(path, url, 'must not contain double slash');
  else if (inner.includes('*') || (url.endsWith('*') && !url.endsWith('/*')))
    errors.invalid(path, url, 'wildcard can only do suffix matching');
}
