import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import {
  checkDomainPrefixedPath,
  checkRequired,
  dns1123Label,
  dns1123Subdomain,
  FieldPath,
  legacyAddressMessages,
  nameIsDNSSubdomain,
  nameIsPathSegment,
  parseAddress,
  portName,
  portNumber,
  semanticEqual,
  wildcardSubdomain,
} from '@kubernel/sdk/api';

/** Ingresses and their classes. */

const SPEC = FieldPath.of('spec');
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

export function checkIngress(ingress: Decoded, errors: FieldErrors, isNew: boolean): void {
  const spec: Decoded = ingress.spec ?? {};
  const { rules, defaultBackend, tls = [], ingressClassName } = spec;
  if (!rules?.length && !defaultBackend) errors.invalid(SPEC, rules, 'either `defaultBackend` or `rules` must be specified');
  if (defaultBackend) checkBackend(defaultBackend, SPEC.child('defaultBackend'), errors);
  (rules ?? []).forEach((rule: Decoded, i: number) => {
    checkRule(rule, SPEC.child('rules').index(i), errors);
  });
  tls.forEach(({ hosts = [], secretName = '' }: Decoded, i: number) => {
    const at = SPEC.child('tls').index(i);
    hosts.forEach((host: string, j: number) => {
      checkHost(host, at.child('hosts').index(j), errors);
    });
    if (secretName) errors.invalidEach(at.child('secretName'), secretName, nameIsDNSSubdomain(secretName, false));
  });
  if (ingressClassName !== undefined)
    errors.invalidEach(SPEC.child('ingressClassName'), ingressClassName, nameIsDNSSubdomain(ingressClassName, false));
  const annotated = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (isNew && annotated !== undefined && ingressClassName !== undefined && annotated !== ingressClassName) {
    errors.invalid(FieldPath.of('annotations').child(CLASS_ANNOTATION), annotated, 'must match `ingressClassName` when both are specified');
  }
}

function checkHost(host: string, path: FieldPath, errors: FieldErrors): void {
  errors.invalidEach(path, host, host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host));
}

function checkRule(rule: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (rule.host) {
    if (parseAddress(rule.host)) errors.invalid(path.child('host'), rule.host, 'must be a DNS name, not an IP address');
    checkHost(rule.host, path.child('host'), errors);
  }
  if (!rule.http) return;
  const at = path.child('http', 'paths');
  const paths: Decoded[] = rule.http.paths ?? [];
  if (paths.length === 0) errors.required(at);
  paths.forEach((item, i) => {
    checkPath(item, at.index(i), errors);
  });
}

function checkPath(item: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { path: text = '', pathType } = item;
  const at = path.child('path');
  if (pathType == null) {
    errors.required(path.child('pathType'), 'pathType must be specified');
  } else if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!text.startsWith('/')) errors.invalid(at, text, 'must be an absolute path');
    if (text)
      for (const part of ['//', '/./', '/../', '%2f', '%2F'])
        if (text.includes(part)) errors.invalid(at, text, `must not contain '${part}'`);
    if (text) for (const end of ['/..', '/.']) if (text.endsWith(end)) errors.invalid(at, text, `cannot end with '${end}'`);
  } else if (pathType === 'ImplementationSpecific') {
    if (text && !text.startsWith('/')) errors.invalid(at, text, 'must be an absolute path');
  } else {
    errors.notSupported(path.child('pathType'), pathType, PATH_TYPES);
  }
  checkBackend(item.backend ?? {}, path.child('backend'), errors);
}

function checkBackend(backend: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { resource, service } = backend;
  if (resource && service) {
    errors.invalid(path, '', 'cannot set both resource and service backends');
  } else if (resource) {
    const { apiGroup = '', kind = '', name = '' } = resource;
    const at = path.child('resource');
    if (apiGroup) errors.invalidEach(at.child('apiGroup'), apiGroup, dns1123Subdomain(apiGroup));
    if (checkRequired(kind, at.child('kind'), errors)) errors.invalidEach(at.child('kind'), kind, nameIsPathSegment(kind, false));
    if (checkRequired(name, at.child('name'), errors)) errors.invalidEach(at.child('name'), name, nameIsPathSegment(name, false));
  } else if (service) {
    const at = path.child('service');
    const { name: port = '', number = 0 } = service.port ?? {};
    if (checkRequired(service.name, at.child('name'), errors))
      errors.invalidEach(at.child('name'), service.name, dns1123Label(service.name));
    if (port && number) errors.invalid(path, '', 'cannot set both port name & port number');
    else if (port) errors.invalidEach(at.child('port', 'name'), port, portName(port));
    else if (number) errors.invalidEach(at.child('port', 'number'), number, portNumber(number));
    else errors.required(path, 'port name or number is required');
  } else {
    errors.invalid(path, '', 'resource or service backend is required');
  }
}

/** Where load balancers take traffic in, as the status says. */
export function checkIngressStatus(ingress: Decoded, errors: FieldErrors): void {
  (ingress.status?.loadBalancer?.ingress ?? []).forEach(({ ip = '', hostname = '' }: Decoded, i: number) => {
    const at = FieldPath.of('status', 'loadBalancer', 'ingress').index(i);
    if (ip) errors.invalidEach(at.child('ip'), ip, legacyAddressMessages(ip));
    if (!hostname) return;
    errors.invalidEach(at.child('hostname'), hostname, dns1123Subdomain(hostname));
    if (parseAddress(hostname)) errors.invalid(at.child('hostname'), hostname, 'must be a DNS name, not an IP address');
  });
}

export function checkIngressClass(object: Decoded, errors: FieldErrors): void {
  const { controller = '', parameters } = object.spec ?? {};
  const at = SPEC.child('controller');
  if (controller.length > 250) errors.tooLong(at, 250);
  checkDomainPrefixedPath(controller, at, errors);
  if (!parameters) return;
  const path = SPEC.child('parameters');
  const { apiGroup, kind = '', name = '', scope, namespace } = parameters;
  if (apiGroup !== undefined) errors.invalidEach(path.child('apiGroup'), apiGroup, dns1123Subdomain(apiGroup));
  for (const [field, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (checkRequired(value, path.child(field), errors)) errors.invalidEach(path.child(field), value, nameIsPathSegment(value, false));
  }
  if (scope === undefined) errors.required(path.child('scope'));
  else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.forbidden(path.child('namespace'), "`parameters.scope` is set to 'Cluster'");
  } else if (scope === 'Namespace') {
    if (namespace === undefined) errors.required(path.child('namespace'), "`parameters.scope` is set to 'Namespace'");
    else errors.invalidEach(path.child('namespace'), namespace, dns1123Label(namespace));
  } else {
    errors.notSupported(path.child('scope'), scope, ['Cluster', 'Namespace']);
  }
}

export function checkIngressClassUpdate(object: Decoded, old: Decoded, errors: FieldErrors): void {
  const { controller = '' } = object.spec ?? {};
  if (!semanticEqual(controller, old.spec?.controller)) errors.invalid(SPEC.child('controller'), controller, 'field is immutable');
}
