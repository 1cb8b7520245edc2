import type { Decoded } from '@kubernel/sdk/api';
import { tryQuantity } from '@kubernel/sdk/api';

/** Quality of service of a pod (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/): by requests and limits of cpu and memory. */
export function podQosClass(spec: Decoded): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const own = spec.resources;
  const parts: Decoded[] =
    own && (own.requests || own.limits)
      ? [own]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.resources ?? {});
  let any = false;
  let guaranteed = true;
  for (const { requests = {}, limits = {} } of parts) {
    for (const name of ['cpu', 'memory']) {
      const request = tryQuantity(requests[name]);
      const limit = tryQuantity(limits[name]);
      if ((request?.sign ?? 0) > 0 || (limit?.sign ?? 0) > 0) any = true;
      if ((limit?.sign ?? 0) <= 0 || (request && limit && request.compare(limit) !== 0)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed && parts.length > 0 ? 'Guaranteed' : 'Burstable';
}
