import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { byteLength, dns1123Subdomain, FieldPath, qualifiedName } from '@kubernel/sdk/api';

/** Events through the core group: hardly checked, but for those that have an eventTime, as the newer ones must. */
export const eventStrategy: Strategy = {
  createOnUpdate: true,
  validate: (event, errors) => checkEvent(event, 'reportingComponent', errors),
  validateUpdate: (event, _old, errors) => checkEvent(event, 'reportingComponent', errors),
};

const AT = (field: string): FieldPath => FieldPath.of(field);

/** `reporter` is what the version asked for calls the reporting controller. */
export function checkEvent(event: Decoded, reporter: string, errors: FieldErrors): void {
  const namespace = event.metadata.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  const mismatch = (): void => errors.invalid(FieldPath.of('involvedObject', 'namespace'), involved, 'does not match event.namespace');
  if (!event.eventTime) {
    if (involved === '' ? namespace !== '' && namespace !== 'default' : namespace !== involved) mismatch();
  } else {
    if (involved === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch();
    checkReporter(event, reporter, errors);
  }
  errors.invalidEach(AT('namespace'), namespace, dns1123Subdomain(namespace));
}

function checkReporter(event: Decoded, reporter: string, errors: FieldErrors): void {
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '', message = '' } = event;
  if (!reportingComponent) errors.required(AT(reporter));
  errors.invalidEach(AT(reporter), reportingComponent, qualifiedName(reportingComponent));
  const limited = (field: string, text: string, max: number): void => {
    if (!text && max === 128) errors.required(AT(field));
    if (byteLength(text) > max) errors.invalid(AT(field), '', `can have at most ${max} characters`);
  };
  limited('reportingInstance', reportingInstance, 128);
  limited('action', action, 128);
  limited('reason', reason, 128);
  limited('message', message, 1024);
}
