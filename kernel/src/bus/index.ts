/** The watch bus: `bus.ts` publishes and subscribes, `ring.ts` keeps recent events, `subscription.ts` is one reader. */
export { type Backlog, Bus, type BusOptions, type SubscribeOptions } from './bus.ts';
export { Subscription } from './subscription.ts';
