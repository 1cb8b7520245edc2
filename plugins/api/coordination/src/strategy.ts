import type { Strategy } from '@kubernel/sdk';
import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { checkNonNegative, FieldPath, kindStrategy } from '@kubernel/sdk/api';

/** Leases (https://kubernetes.io/docs/concepts/architecture/leases/). */

const SPEC = FieldPath.of('spec');

function checkLease(lease: Decoded, errors: FieldErrors): void {
  const { leaseDurationSeconds: seconds, leaseTransitions } = lease.spec ?? {};
  if (seconds !== undefined && seconds <= 0) errors.invalid(SPEC.child('leaseDurationSeconds'), seconds, 'must be greater than 0');
  checkNonNegative(leaseTransitions, SPEC.child('leaseTransitions'), errors);
}

/** Coordinated leader election is an alpha feature and off: its fields are not stored. */
function dropCoordinated(lease: Decoded): void {
  delete lease.spec?.strategy;
  delete lease.spec?.preferredHolder;
}

const lease = kindStrategy(
  { namespaced: true, kubeFinalizers: false, validate: checkLease, onUpdate: ['update', 'validate'] },
  { createOnUpdate: true, unconditionalUpdate: false, prepareForCreate: dropCoordinated, prepareForUpdate: dropCoordinated },
);

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { leases: lease };
