import { definePlugin } from '@kubernel/sdk';
import { namespaceLifecycle } from './namespace-lifecycle.ts';

export default definePlugin('admission/v1', 'namespace-lifecycle', { start: () => namespaceLifecycle() });
