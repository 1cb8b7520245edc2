import type { Elector } from '../host/host.ts';

/** For a kernel that owns its storage alone: nobody else could run a second copy, so everything is elected here. */
export const localElector: Elector = {
  async elected(_id, _lost, signal) {
    signal.throwIfAborted();
  },
};
