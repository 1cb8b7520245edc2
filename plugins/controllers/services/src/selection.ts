import { type Service, selectorOfMap } from '@kubernel/sdk/api';
import { type ControllerParts, type Informer, objectKey, PODS, type Reconciler, SERVICES } from '@kubernel/sdk/client';
import { type LeanPod, leanPod, sameForEndpoints } from './pods.ts';

/**
 * Which pods a service selects, and which services a pod's change concerns, each without looking at all of the others:
 * pods are filed under every label they have, services under one of the labels they select by.
 */
export class Selection {
  readonly services: Informer<Service>;
  readonly pods: Informer<LeanPod>;

  constructor({ informers }: ControllerParts) {
    this.services = informers.get<Service>(SERVICES, { indexes: { label: filedUnder } });
    this.pods = informers.get<LeanPod>(PODS, {
      transform: leanPod,
      indexes: {
        label: ({ metadata }) => Object.entries(metadata.labels ?? {}).map(([key, value]) => `${metadata.namespace}/${key}=${value}`),
        node: ({ nodeName }) => (nodeName ? [nodeName] : []),
      },
    });
  }

  /** Pods that the service's selector matches. */
  podsOf(service: Service): LeanPod[] {
    const [label] = filedUnder(service);
    if (label === undefined) return [];
    const selector = selectorOfMap(service.spec.selector);
    return this.pods.byIndex('label', label).filter(({ metadata }) => selector.matches(metadata.labels));
  }

  *servicesOf(pod: LeanPod): Iterable<string> {
    const { namespace, labels = {} } = pod.metadata;
    for (const [key, value] of Object.entries(labels)) {
      for (const service of this.services.byIndex('label', `${namespace}/${key}=${value}`)) {
        if (selectorOfMap(service.spec.selector).matches(labels)) yield objectKey(service);
      }
    }
  }

  /** Enqueues services for their own changes and for those of pods that show in endpoints. */
  feed(reconciler: Reconciler): void {
    const enqueue = (pod: LeanPod): void => {
      for (const key of this.servicesOf(pod)) reconciler.enqueue(key);
    };
    reconciler.watch(this.services);
    this.pods.on({
      add: enqueue,
      update: (pod, old) => {
        if (sameForEndpoints(pod, old)) return;
        enqueue(old);
        enqueue(pod);
      },
      delete: enqueue,
    });
  }
}

/** `namespace/key=value` of the first label a service selects by; nothing for one without a selector. */
function filedUnder({ metadata, spec }: Service): string[] {
  const [first] = Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return first ? [`${metadata.namespace}/${first[0]}=${first[1]}`] : [];
}
