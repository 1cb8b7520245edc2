import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { FieldPath, checkNonNegative, kindStrategy, qualifiedName } from '@kubernel/sdk/api';

/** Leases (https://kubernetes.io/docs/concepts/architecture/leases/). */

const SPEC = FieldPath.of('spec');

function checkLease(lease: Decoded, errors: FieldErrors): void {
  const { leaseDurationSeconds: seconds, leaseTransitions, strategy, preferredHolder } = lease.spec ?? {};
  if (seconds !== undefined && seconds <= 0) errors.invalid(SPEC.child('leaseDurationSeconds'), seconds, 'must be greater than 0');
  checkNonNegative(leaseTransitions, SPEC.child('leaseTransitions'), errors);
  if (strategy !== undefined && strategy !== 'OldestEmulationVersion') {
    if (strategy === '') errors.required(SPEC.child('strategy'));
    else errors.invalidEach(SPEC.child('strategy'), strategy, qualifiedName(strategy));
  }
  if (preferredHolder && strategy === undefined) errors.forbidden(SPEC.child('preferredHolder'), 'may only be specified if `strategy` is defined');
}

const lease = kindStrategy(
  { namespaced: true, kubeFinalizers: false, validate: checkLease, onUpdate: ['update', 'validate'] },
  { createOnUpdate: true, unconditionalUpdate: false },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { leases: lease };
