/** The object store: `store.ts` is the way of a write, `queue.ts` what waits, `compactor.ts` what is forgotten when. */
export { type Clock, systemClock } from './clock.ts';
export { Store, type StoreOptions } from './store.ts';
