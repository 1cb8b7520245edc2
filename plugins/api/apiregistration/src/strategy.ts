import type { Strategy } from '@kubernel/sdk';
import { nameIsPathSegment } from '@kubernel/sdk/api';

/** What happens to an object on its way in, by plural (`pods`) or subresource (`pods/status`). */
export const strategies: Readonly<Record<string, Strategy>> = { apiservices: { validateName: nameIsPathSegment } };
