import type { ResourceDefinition } from '@kubernel/sdk';

export const resources: readonly ResourceDefinition[] = [];
