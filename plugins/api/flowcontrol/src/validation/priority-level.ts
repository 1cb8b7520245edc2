import type { Decoded, FieldErrors } from '@kubernel/sdk/api';
import { FieldPath } from '@kubernel/sdk/api';
import { checkConditions } from './flow-schema.ts';

/** Priority levels: how many requests run at a time, and what the others do. */

const SPEC = FieldPath.of('spec');
const MAX_QUEUES = 10_000_000;
const MAX_ENTROPY_BITS = 60;

export function checkPriorityLevel(object: Decoded, errors: FieldErrors): void {
  const { type = '', limited, exempt } = object.spec ?? {};
  if ((object.metadata?.name === 'exempt') !== (type === 'Exempt'))
    errors.invalid(SPEC.child('type'), type, "must be 'Exempt' if and only if `name` is 'exempt'");
  if (type === 'Exempt') {
    if (limited) errors.forbidden(SPEC.child('limited'), 'must be nil if the type is not Limited');
    if (exempt) checkShares(exempt, SPEC.child('exempt'), errors);
    else errors.required(SPEC.child('exempt'), 'must not be empty when type is Exempt');
  } else if (type === 'Limited') {
    if (exempt) errors.forbidden(SPEC.child('exempt'), 'must be nil if the type is Limited');
    if (limited) checkLimited(limited, SPEC.child('limited'), errors);
    else errors.required(SPEC.child('limited'), 'must not be empty when type is Limited');
  } else {
    errors.notSupported(SPEC.child('type'), type, ['Exempt', 'Limited']);
  }
  checkConditions(object, errors);
}

function checkShares({ nominalConcurrencyShares: shares, lendablePercent }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (shares != null && shares < 0) errors.invalid(path.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer');
  checkLendable(lendablePercent, path, errors);
}

function checkLendable(percent: number | null | undefined, path: FieldPath, errors: FieldErrors): void {
  if (percent != null && (percent < 0 || percent > 100))
    errors.invalid(path.child('lendablePercent'), percent, 'must be between 0 and 100, inclusive');
}

function checkLimited(limited: Decoded, path: FieldPath, errors: FieldErrors): void {
  const { nominalConcurrencyShares: shares, lendablePercent, borrowingLimitPercent: borrowing } = limited;
  if (shares != null && shares < 0) errors.invalid(path.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer');
  checkResponse(limited.limitResponse ?? {}, path.child('limitResponse'), errors);
  checkLendable(lendablePercent, path, errors);
  if (borrowing != null && borrowing < 0)
    errors.invalid(path.child('borrowingLimitPercent'), borrowing, 'if specified, must be a non-negative integer');
}

function checkResponse({ type = '', queuing }: Decoded, path: FieldPath, errors: FieldErrors): void {
  const at = path.child('queuing');
  if (type === 'Reject') {
    if (queuing) errors.forbidden(at, 'must be nil if limited.limitResponse.type is not Limited');
  } else if (type === 'Queue') {
    if (queuing) checkQueuing(queuing, at, errors);
    else errors.required(at, 'must not be empty if limited.limitResponse.type is Limited');
  } else {
    errors.notSupported(path.child('type'), type, ['Queue', 'Reject']);
  }
}

function checkQueuing({ queues = 0, handSize = 0, queueLengthLimit = 0 }: Decoded, path: FieldPath, errors: FieldErrors): void {
  if (queueLengthLimit <= 0) errors.invalid(path.child('queueLengthLimit'), queueLengthLimit, 'must be positive');
  if (queues <= 0) errors.invalid(path.child('queues'), queues, 'must be positive');
  else if (queues > MAX_QUEUES) errors.invalid(path.child('queues'), queues, `must not be greater than ${MAX_QUEUES}`);
  if (handSize <= 0) errors.invalid(path.child('handSize'), handSize, 'must be positive');
  else if (handSize > queues) errors.invalid(path.child('handSize'), handSize, `should not be greater than queues (${queues})`);
  else if (entropyBits(queues, handSize) > MAX_ENTROPY_BITS) {
    errors.invalid(
      path.child('handSize'),
      handSize,
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_ENTROPY_BITS}`,
    );
  }
}

/** How many bits decide which hand of queues is dealt. */
function entropyBits(deckSize: number, handSize: number): number {
  let bits = 0;
  for (let i = 0; i < handSize && bits <= MAX_ENTROPY_BITS; i++) bits += Math.log2(deckSize - i);
  return Math.ceil(bits);
}
