/** What a cluster fills in for pods, claims, ingresses and nodes. Each plugin is switched by its own name. */

import type { PluginDefinition } from '@kubernel/sdk';
import { definePlugin } from '@kubernel/sdk';
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts';
import { priority } from './priority.ts';
import { runtimeClass } from './runtime-class.ts';
import type { DefaultTolerationSecondsConfig } from './tolerations.ts';
import { defaultTolerationSeconds, extendedResourceToleration, taintNodesByCondition } from './tolerations.ts';

const definitions: readonly PluginDefinition<'admission/v1', never>[] = [
  definePlugin('admission/v1', 'priority', { start: () => priority() }),
  definePlugin<'admission/v1', DefaultTolerationSecondsConfig>('admission/v1', 'default-toleration-seconds', {
    start: ({ config }) => defaultTolerationSeconds(config ?? {}),
  }),
  definePlugin('admission/v1', 'taint-nodes-by-condition', { start: () => taintNodesByCondition() }),
  definePlugin('admission/v1', 'runtime-class', { start: () => runtimeClass() }),
  definePlugin('admission/v1', 'default-storage-class', { start: () => defaultStorageClass() }),
  definePlugin('admission/v1', 'default-ingress-class', { start: () => defaultIngressClass() }),
  definePlugin('admission/v1', 'extended-resource-toleration', { start: () => extendedResourceToleration() }),
] as never;
export default definitions;
