import { definePlugin } from '@kubernel/sdk';
import { ownerReferencesPermission } from './owner-references.ts';

export default definePlugin('admission/v1', 'owner-references-permission-enforcement', { start: () => ownerReferencesPermission() });
