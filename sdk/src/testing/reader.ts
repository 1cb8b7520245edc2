import type { KubeObject } from '../api/object.ts';
import type { AdmissionAttributes } from '../roles/admission.ts';
import type { ApiReader, ClusterSettings } from '../roles/api.ts';
import type { AuthzAttributes } from '../roles/auth.ts';

type Listener = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void;

/** An {@link ApiReader} over objects held in memory, for tests of authenticators, authorizers and admission plugins. */
export class MemoryReader implements ApiReader {
  readonly cluster: ClusterSettings = {
    name: 'test',
    clusterDomain: 'cluster.local',
    serviceCIDRs: ['10.96.0.0/16'],
    podCIDRs: ['10.244.0.0/16'],
    clusterDNS: ['10.96.0.10'],
    nodePortRange: [30000, 32767],
  };
  /** Who may do what; default: nobody anything. */
  allows: (attributes: AuthzAttributes) => boolean = () => false;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Map<string, Listener[]>();

  /** `group/resource`, `/pods` for the core group. */
  put(resource: string, object: KubeObject): void {
    const key = `${resource}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#objects.set(key, object);
    for (const listener of this.#listeners.get(resource) ?? []) listener(type, object);
  }

  remove(resource: string, namespace: string, name: string): void {
    const key = `${resource}/${namespace}/${name}`;
    const object = this.#objects.get(key);
    if (!object) return;
    this.#objects.delete(key);
    for (const listener of this.#listeners.get(resource) ?? []) listener('DELETED', object);
  }

  get<T extends KubeObject = KubeObject>(group: string, resource: string, namespace: string, name: string): T | undefined {
    return this.#objects.get(`${group}/${resource}/${namespace}/${name}`) as T | undefined;
  }

  list<T extends KubeObject = KubeObject>(group: string, resource: string, namespace?: string): T[] {
    const prefix = `${group}/${resource}/${namespace === undefined ? '' : `${namespace}/`}`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object as T);
  }

  onChange(group: string, resource: string, listener: Listener): () => void {
    const key = `${group}/${resource}`;
    this.#listeners.set(key, [...(this.#listeners.get(key) ?? []), listener]);
    return () =>
      this.#listeners.set(
        key,
        (this.#listeners.get(key) ?? []).filter((one) => one !== listener),
      );
  }

  async authorize(attributes: AuthzAttributes): Promise<{ decision: 'allow' | 'no-opinion' }> {
    return { decision: this.allows(attributes) ? 'allow' : 'no-opinion' };
  }
}

export interface TestAdmission extends AdmissionAttributes {
  readonly warnings: string[];
  readonly annotations: Record<string, string>;
}

/** The attributes of a request as an admission plugin gets them; default: user `ann` creates a pod in namespace `ns`. */
export function admissionRequest(request: Partial<AdmissionAttributes>): TestAdmission {
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  return {
    operation: request.oldObject ? 'UPDATE' : 'CREATE',
    user: { name: 'ann', groups: ['system:authenticated'] },
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    kind: 'Pod',
    namespace: 'ns',
    name: request.object?.metadata.name ?? '',
    object: undefined,
    oldObject: undefined,
    options: {},
    dryRun: false,
    warn: (message) => warnings.push(message),
    annotate: (key, value) => {
      annotations[key] = value;
    },
    warnings,
    annotations,
    ...request,
  };
}
