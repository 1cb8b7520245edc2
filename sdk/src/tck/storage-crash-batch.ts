import { EXPECT_ANY, type WriteBatch } from '../roles/storage.ts';
import { Random } from './random.ts';

/** Batch `number` of a crash test: the writer makes it, and the test makes it again to compare. */
export function crashBatch(seed: number, number: number): WriteBatch {
  const random = new Random(seed * 7919 + number);
  const batch: WriteBatch = { keys: [], values: [], expects: [] };
  for (let i = random.below(6) + 1; i > 0; i--) {
    batch.keys.push(`core/configmaps/default/key-${random.below(20)}`);
    batch.values.push(random.chance(0.2) ? null : `${number}/${i} `.padEnd(random.below(3000), 'v'));
    batch.expects.push(EXPECT_ANY);
  }
  return batch;
}
