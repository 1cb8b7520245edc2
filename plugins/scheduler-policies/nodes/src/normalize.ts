/** Stretches scores so that the largest becomes 100; `reverse`: so that the smallest becomes the best. */
export function normalizeToHundred(scores: Float64Array, reverse = false): void {
  let max = 0;
  for (let k = 0; k < scores.length; k++) if ((scores[k] as number) > max) max = scores[k] as number;
  if (max === 0) {
    if (reverse) scores.fill(100);
    return;
  }
  for (let k = 0; k < scores.length; k++) {
    const share = Math.floor((100 * (scores[k] as number)) / max);
    scores[k] = reverse ? 100 - share : share;
  }
}
