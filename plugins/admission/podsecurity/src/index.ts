/** Pod Security Standards: `checks.ts` judges a pod, `policy.ts` reads a namespace's labels, `pod-security.ts` is the admission plugin. */
import { definePlugin } from '@kubernel/sdk';
import type { PodSecurityConfig } from './pod-security.ts';
import { podSecurity } from './pod-security.ts';

export default definePlugin<'admission/v1', PodSecurityConfig>('admission/v1', 'pod-security', {
  start: ({ config }) => podSecurity(config ?? {}),
});
