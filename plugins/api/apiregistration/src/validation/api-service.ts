import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { dns1035LabelName, dns1123Subdomain, FieldPath, nameIsPathSegment, portNumber, validateObjectMeta } from '@kubernel/sdk/api';

/** API services: which server has which version of which group. */

const SPEC = FieldPath.of('spec');

export function checkApiService(object: Decoded, errors: FieldErrors): void {
  const spec: Decoded = object.spec ?? {};
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  checkMetadata(object, `${version}.${group}`, errors);
  if (!group && version !== 'v1') errors.required(SPEC.child('group'), 'only v1 may have an empty group and it better be legacy kube');
  if (group) errors.invalidEach(SPEC.child('group'), group, dns1123Subdomain(group));
  errors.invalidEach(SPEC.child('version'), version, dns1035LabelName(version));
  checkPriority(groupPriorityMinimum, 20_000, SPEC.child('groupPriorityMinimum'), errors);
  checkPriority(versionPriority, 1000, SPEC.child('versionPriority'), errors);
  checkService(spec, errors);
}

function checkMetadata(object: Decoded, requiredName: string, errors: FieldErrors): void {
  const name = (text: string, prefix: boolean): string[] => {
    const messages = nameIsPathSegment(text, prefix);
    if (messages.length > 0 || text === requiredName) return messages;
    return [`must be \`spec.version+"."+spec.group\`: "${requiredName}"`];
  };
  validateObjectMeta(object.metadata, { namespaced: false, name }, errors);
}

function checkPriority(value: number, max: number, path: FieldPath, errors: FieldErrors): void {
  if (value <= 0 || value > max) errors.invalid(path, value, `must be positive and less than ${max}`);
}

function checkService({ service, caBundle = '', insecureSkipTLSVerify = false }: Decoded, errors: FieldErrors): void {
  if (!service) {
    const bytes = Buffer.from(caBundle, 'base64').length;
    if (bytes > 0) errors.invalid(SPEC.child('caBundle'), `${bytes} bytes`, 'local APIServices may not have a caBundle');
    if (insecureSkipTLSVerify)
      errors.invalid(SPEC.child('insecureSkipTLSVerify'), true, 'local APIServices may not have insecureSkipTLSVerify');
    return;
  }
  const at = SPEC.child('service');
  if (!service.namespace) errors.required(at.child('namespace'));
  if (!service.name) errors.required(at.child('name'));
  const port = portNumber(service.port ?? 0);
  if (port.length > 0) errors.invalid(at.child('port'), service.port ?? 0, `port is not valid: ${port.join(',')}`);
  if (insecureSkipTLSVerify && caBundle)
    errors.invalid(SPEC.child('insecureSkipTLSVerify'), true, 'may not be true if caBundle is present');
}
