/**
 * Calls `work` `count` times in batches of 1, 2, 4, …, each batch at once, and stops after a batch in which one failed:
 * what cannot work (a quota, a bad template) is found out with one call instead of hundreds. Never rejects.
 */
export async function inGrowingBatches(count: number, work: () => Promise<void>): Promise<{ done: number; error?: unknown }> {
  let done = 0;
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done);
    const outcomes = await Promise.allSettled(Array.from({ length: batch }, () => work()));
    done += batch;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) return { done, error: failed.reason };
  }
  return { done };
}
