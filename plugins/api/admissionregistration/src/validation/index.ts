import type { Validator } from '@kubernel/sdk';

/** What is refused, by type name. */
export const validators: Readonly<Record<string, Validator>> = {};
