import type { Decoded, FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { checkDnsLabel, parseQuantity, tryQuantity } from '@kubernel/sdk/api';
import { checkContainerResourceName, checkPodResourceName, checkResourceAmount, isHugePages, mayOvercommit } from './resource-names.ts';

type NameCheck = (name: string, path: FieldPath, errors: FieldErrors) => void;

/** requests and limits of a container, or of a whole pod. */
function checkRequirements(value: Decoded, path: FieldPath, errors: FieldErrors, checkName: NameCheck, claims: ReadonlySet<string>): void {
  const limits: Record<string, unknown> = value.limits ?? {};
  const requests: Record<string, unknown> = value.requests ?? {};
  const common = (name: string, amount: unknown, at: FieldPath): void => {
    checkName(name, at, errors);
    checkResourceAmount(name, amount, at, errors);
  };
  for (const [name, amount] of Object.entries(limits)) {
    const at = path.child('limits').key(name);
    common(name, amount, at);
    checkHugePagesAmount(name, amount, at, errors);
  }
  for (const [name, amount] of Object.entries(requests)) {
    const at = path.child('requests').key(name);
    common(name, amount, at);
    checkAgainstLimit(name, amount, limits[name], path, errors);
    checkHugePagesAmount(name, amount, at, errors);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
    errors.forbidden(path, 'HugePages require cpu or memory');
  checkClaimNames(value.claims ?? [], claims, path.child('claims'), errors);
}

function checkAgainstLimit(name: string, amount: unknown, limit: unknown, path: FieldPath, errors: FieldErrors): void {
  if (limit === undefined) {
    if (!mayOvercommit(name)) errors.required(path.child('limits'), 'Limit must be set for non overcommitable resources');
    return;
  }
  const request = tryQuantity(amount);
  const most = tryQuantity(limit);
  if (!request || !most) return;
  const order = request.compare(most);
  if (order !== 0 && !mayOvercommit(name))
    errors.invalid(path.child('requests'), request.toString(), `must be equal to ${name} limit of ${most}`);
  else if (order > 0) errors.invalid(path.child('requests'), request.toString(), `must be less than or equal to ${name} limit of ${most}`);
}

function checkHugePagesAmount(name: string, amount: unknown, path: FieldPath, errors: FieldErrors): void {
  if (!isHugePages(name)) return;
  const quantity = tryQuantity(amount);
  const page = tryQuantity(name.slice('hugepages-'.length));
  if (!quantity || !page || page.sign <= 0) return;
  if (quantity.nanos % page.nanos !== 0n)
    errors.invalid(path, quantity.toString(), `${quantity} is not positive integer multiple of ${name}`);
}

function checkClaimNames(claims: readonly Decoded[], known: ReadonlySet<string>, path: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>();
  claims.forEach(({ name = '', request = '' }, i) => {
    const at = path.index(i);
    if (!name) {
      errors.required(at);
      return;
    }
    if (seen.has(name)) {
      errors.duplicate(at, name);
    } else {
      const key = request ? `${name}/${request}` : name;
      if (request) checkDnsLabel(request, at.child('request'), errors);
      if (seen.has(key)) errors.duplicate(at, key);
      else if (!request) for (const other of seen) if (other.startsWith(`${name}/`)) errors.duplicate(at, name);
      seen.add(key);
    }
    if (!known.has(name)) {
      const list = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
      errors.notFound(at, name, `must be one of the names in pod.spec.resourceClaims${list}`);
    }
  });
}

const NO_CLAIMS: ReadonlySet<string> = new Set();

export function checkContainerResources(
  value: Decoded,
  path: FieldPath,
  errors: FieldErrors,
  claims: ReadonlySet<string> = NO_CLAIMS,
): void {
  checkRequirements(value, path, errors, checkContainerResourceName, claims);
}

/** Pod-level resources (KEP-2837): cpu, memory and huge pages, no less than what the containers ask for together. */
export function checkPodResources(spec: Decoded, path: FieldPath, errors: FieldErrors, claims: ReadonlySet<string>): void {
  const own = spec.resources;
  if (!own) return;
  if (own.claims) errors.forbidden(path.child('claims'), 'claims cannot be set for Resources at pod-level');
  checkRequirements(own, path, errors, checkPodResourceName, claims);
  for (const [name, total] of totalRequests(spec)) {
    const given = parseQuantity(String(own.requests?.[name] ?? '0'));
    if (total.compare(given) > 0) {
      errors.invalid(
        path.child('requests').key(name),
        given.toString(),
        `must be greater than or equal to aggregate container requests of ${total}`,
      );
    }
  }
  (spec.containers ?? []).forEach((container: Decoded, i: number) => {
    for (const [name, amount] of Object.entries(container.resources?.limits ?? {})) {
      const most = tryQuantity(own.limits?.[name]);
      const limit = tryQuantity(amount);
      if (!most || !limit || limit.compare(most) <= 0) continue;
      errors.invalid(
        path.child('containers').index(i).key(name).child('limits'),
        limit.toString(),
        `must be less than or equal to pod limits of ${most}`,
      );
    }
  });
}

/** Requests of all containers; an init container counts by the moment it runs, with the sidecars started before it. */
function totalRequests(spec: Decoded): Map<string, ReturnType<typeof parseQuantity>> {
  const totals = new Map<string, ReturnType<typeof parseQuantity>>();
  const sidecars = new Map<string, ReturnType<typeof parseQuantity>>();
  const peaks = new Map<string, ReturnType<typeof parseQuantity>>();
  const quantities = (container: Decoded): [string, ReturnType<typeof parseQuantity>][] =>
    Object.entries(container.resources?.requests ?? {}).flatMap(([name, amount]) => {
      const quantity = tryQuantity(amount);
      return quantity ? [[name, quantity] as [string, ReturnType<typeof parseQuantity>]] : [];
    });
  for (const container of spec.containers ?? []) {
    for (const [name, quantity] of quantities(container)) totals.set(name, totals.get(name)?.add(quantity) ?? quantity);
  }
  for (const container of spec.initContainers ?? []) {
    for (const [name, quantity] of quantities(container)) {
      const running = sidecars.get(name)?.add(quantity) ?? quantity;
      if (container.restartPolicy === 'Always') {
        sidecars.set(name, running);
        totals.set(name, totals.get(name)?.add(quantity) ?? quantity);
      }
      const peak = peaks.get(name);
      if (!peak || running.compare(peak) > 0) peaks.set(name, running);
    }
  }
  for (const [name, peak] of peaks) {
    const total = totals.get(name);
    if (!total || peak.compare(total) > 0) totals.set(name, peak);
  }
  return totals;
}
