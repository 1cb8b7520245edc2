import type { DefaultFunction } from '@kubernel/sdk';

/** What is filled in when a client leaves it out, by type name. */
export const defaults: Readonly<Record<string, DefaultFunction>> = {
  'flowcontrol.v1.FlowSchemaSpec': (spec) => {
    spec.matchingPrecedence ||= 1000;
  },
  'flowcontrol.v1.LimitedPriorityLevelConfiguration': (limited) => {
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
  },
  'flowcontrol.v1.ExemptPriorityLevelConfiguration': (exempt) => {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  },
  'flowcontrol.v1.QueuingConfiguration': (queuing) => {
    queuing.queues ||= 64;
    queuing.handSize ||= 8;
    queuing.queueLengthLimit ||= 50;
  },
};
