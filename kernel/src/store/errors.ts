import { KubernelError } from '@kubernel/sdk';

/** What store and bus refuse with. Who calls the store is told by code whether the write was made, was not, or may have been. */
export const storeBusy = (ops: number, bytes: number): KubernelError =>
  new KubernelError('ERR_STORE_BUSY', `${ops} writes (${Math.round(bytes / 1024)} KiB) already wait for the storage`, {
    subject: 'store',
    hint: 'nothing was written; try again in a second, with fewer writers or a faster disk',
  });

export const storeUnavailable = (waitedMs: number): KubernelError =>
  new KubernelError('ERR_STORE_UNAVAILABLE', `no storage answered for ${waitedMs} ms`, {
    subject: 'store',
    hint: 'nothing was written; `kubernel status` says what the storage plugin waits for',
  });

export const storeInterrupted = (cause: unknown): KubernelError =>
  new KubernelError(
    'ERR_STORE_INTERRUPTED',
    `the storage went away while it was writing: ${(cause as Error | undefined)?.message ?? String(cause)}`,
    {
      subject: 'store',
      hint: 'the batch was written as a whole or not at all: read before trying again',
      cause,
    },
  );

export const storeClosed = (): KubernelError => new KubernelError('ERR_STORE_CLOSED', 'the store is closed', { subject: 'store' });

export const storageBehind = (found: number, known: number): KubernelError =>
  new KubernelError('ERR_STORAGE_BEHIND', `the storage stands at revision ${found}, but revision ${known} was acknowledged`, {
    subject: 'store',
    hint: 'this is an older copy of the data: restart the kernel if going back is what you want',
  });

export const invalidBatch = (reason: string): KubernelError => new KubernelError('ERR_STORAGE_INVALID', reason, { subject: 'store' });

export const slowReader = (prefix: string, lagBytes: number): KubernelError =>
  new KubernelError('ERR_SLOW_READER', `the reader of ${prefix ? `"${prefix}"` : 'everything'} fell ${describeLag(lagBytes)} behind`, {
    subject: 'store',
    hint: 'subscribe again, from the last revision that was read',
  });

function describeLag(bytes: number): string {
  return Number.isFinite(bytes) ? `${Math.round(bytes / 1024)} KiB` : 'more than the bus keeps';
}

export const compacted = (revision: number, floor: number): KubernelError =>
  new KubernelError('ERR_COMPACTED', `revision ${revision} is older than the history, which starts after ${floor}`, {
    subject: 'store',
    hint: 'list again and watch from the revision of that list',
  });
