import type { TypeTable } from '@kubernel/sdk';

export const types: TypeTable = {};
