/** The sentences of LimitRange, each undefined when all is well. */
import { parseQuantity, quantityMillis } from '@kubernel/sdk/api';

const more = (a: string, b: string): boolean => parseQuantity(a).compare(parseQuantity(b)) > 0;
const print = (quantity: string): string => parseQuantity(quantity).toString();

export function belowMin(
  type: string,
  name: string,
  min: string,
  request: string | undefined,
  limit: string | undefined,
): string | undefined {
  const rule = `minimum ${name} usage per ${type} is ${print(min)}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  if (more(min, request)) return `${rule}, but request is ${print(request)}`;
  if (limit !== undefined && more(min, limit)) return `${rule}, but limit is ${print(limit)}`;
  return undefined;
}

export function aboveMax(
  type: string,
  name: string,
  max: string,
  request: string | undefined,
  limit: string | undefined,
  title = 'limit',
): string | undefined {
  const rule = `maximum ${name} usage per ${type} is ${print(max)}`;
  if (limit === undefined) return `${rule}.  No ${title} is specified`;
  if (more(limit, max)) return `${rule}, but ${title} is ${print(limit)}`;
  if (request !== undefined && more(request, max)) return `${rule}, but request is ${print(request)}`;
  return undefined;
}

export function overRatio(
  type: string,
  name: string,
  ratio: string,
  request: string | undefined,
  limit: string | undefined,
): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${print(ratio)}`;
  const [requested, limited] = [parseQuantity(request ?? '0'), parseQuantity(limit ?? '0')];
  if (requested.sign === 0) return `${rule}, but no request is specified or request is 0`;
  if (limited.sign === 0) return `${rule}, but no limit is specified or limit is 0`;
  const observed = limited.toNumber() / requested.toNumber();
  return observed * 1000 > quantityMillis(ratio) ? `${rule}, but provided ratio is ${observed.toFixed(6)}` : undefined;
}
