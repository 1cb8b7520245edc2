import { schedulerPolicyKit } from '@kubernel/sdk/tck';
import { describe, it } from 'vitest';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { topologySpread } from './topology-spread.ts';

schedulerPolicyKit({ describe, it }, { policy: interPodAffinity });
const service = { metadata: { namespace: 'default', name: 'web' }, spec: { selector: { app: 'web' } } };
schedulerPolicyKit({ describe, it }, { policy: topologySpread, objects: { services: [service] } });
