import { definePlugin } from '@kubernel/sdk';
import { serviceAccountAdmission } from './service-account.ts';

export default definePlugin('admission/v1', 'service-account', { start: () => serviceAccountAdmission() });
