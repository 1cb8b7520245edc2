/** authz/node: `authorizer.ts` decides, `graph.ts` knows what each node's pods refer to. */
import { definePlugin } from '@kubernel/sdk';
import { nodeAuthorizer } from './authorizer.ts';

export default definePlugin('authz/v1', 'node', { start: () => nodeAuthorizer() });
