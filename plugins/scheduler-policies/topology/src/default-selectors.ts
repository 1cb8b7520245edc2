import type { PodInfo, PolicyHost } from '@kubernel/sdk';
import { type KubeObject, type LabelSelector, type ReplicaSet, Selector, type Service, selectorOf, selectorOfMap } from '@kubernel/sdk/api';
import { type Informer, REPLICA_SETS, REPLICATION_CONTROLLERS, SERVICES, STATEFUL_SETS } from '@kubernel/sdk/client';

interface StatefulSet extends KubeObject {
  spec?: { selector?: LabelSelector };
}

interface ReplicationController extends KubeObject {
  spec?: { selector?: Record<string, string> };
}

/** What pods belong together when nobody says so: those of the services that select the pod, and of its controller. */
export class DefaultSelectors {
  readonly #services: Informer<Service>;
  readonly #replicaSets: Informer<ReplicaSet>;
  readonly #statefulSets: Informer<StatefulSet>;
  readonly #controllers: Informer<ReplicationController>;

  constructor(host: PolicyHost) {
    this.#services = host.informer<Service>(SERVICES);
    this.#replicaSets = host.informer<ReplicaSet>(REPLICA_SETS);
    this.#statefulSets = host.informer<StatefulSet>(STATEFUL_SETS);
    this.#controllers = host.informer<ReplicationController>(REPLICATION_CONTROLLERS);
    this.#services.addIndex('namespace', (service) => [service.metadata.namespace ?? '']);
  }

  /** undefined: nothing selects the pod. */
  of(pod: PodInfo): Selector | undefined {
    const requirements = [];
    for (const service of this.#services.byIndex('namespace', pod.namespace)) {
      const labels = service.spec.selector;
      if (!labels || Object.keys(labels).length === 0) continue;
      const selector = selectorOfMap(labels);
      if (selector.matches(pod.labels)) requirements.push(...selector.requirements);
    }
    const owner = this.#ownerSelector(pod);
    if (owner) requirements.push(...owner.requirements);
    return requirements.length ? new Selector(requirements) : undefined;
  }

  #ownerSelector(pod: PodInfo): Selector | undefined {
    const owner = pod.pod.metadata.ownerReferences?.find(({ controller }) => controller);
    if (!owner) return undefined;
    const key = `${pod.namespace}/${owner.name}`;
    switch (`${owner.apiVersion.split('/')[0]}/${owner.kind}`) {
      case 'apps/ReplicaSet':
        return of(this.#replicaSets.get(key)?.spec?.selector);
      case 'apps/StatefulSet':
        return of(this.#statefulSets.get(key)?.spec?.selector);
      case 'v1/ReplicationController': {
        const labels = this.#controllers.get(key)?.spec?.selector;
        return labels ? selectorOfMap(labels) : undefined;
      }
      default:
        return undefined;
    }
  }
}

function of(selector: LabelSelector | undefined): Selector | undefined {
  return selector ? selectorOf(selector) : undefined;
}
