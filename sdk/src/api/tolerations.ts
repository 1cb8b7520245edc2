import type { Taint, Toleration } from './kinds/index.ts';

/**
 * Does the toleration cover the taint? An empty key with `Exists` covers all, an empty effect every effect; `Lt` and `Gt`
 * compare whole numbers, the toleration's value standing right of the taint's (KEP-5471).
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator || 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
    case 'Lt':
      return compareIntegers(taint.value, toleration.value) === -1;
    case 'Gt':
      return compareIntegers(taint.value, toleration.value) === 1;
    default:
      return false;
  }
}

/** The first taint with one of these effects that no toleration covers. */
export function untolerated(taints: readonly Taint[], tolerations: readonly Toleration[], effects: readonly string[]): Taint | undefined {
  for (const taint of taints) {
    if (effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint))) return taint;
  }
  return undefined;
}

function compareIntegers(left: string | undefined, right: string | undefined): -1 | 0 | 1 | undefined {
  if (!isInteger(left) || !isInteger(right)) return undefined;
  const [a, b] = [BigInt(left), BigInt(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text);
}
