/**
 * Which rules apply to a user: indexes over roles and bindings, kept by the changes of the API server's cache.
 * A role or binding costs a map entry per subject; a question costs the bindings of the user and of each group.
 */
import type { ApiReader, UserInfo } from '@kubernel/sdk';
import type { Binding, Role, Subject } from './objects.ts';
import { GROUP } from './objects.ts';
import type { PolicyRule } from './rules.ts';

/** Bindings by subject key: `u:<user>` or `g:<group>`. */
type SubjectIndex = Map<string, Map<string, Binding>>;

export interface Grant {
  rule: PolicyRule;
  binding: Binding;
  subject: Subject;
}

export class RuleResolver {
  readonly #roles = new Map<string, Role>();
  /** '' holds the cluster role bindings. */
  readonly #bindings = new Map<string, SubjectIndex>();
  readonly #listeners: (() => void)[] = [];

  constructor(reader: ApiReader) {
    for (const [resource, cluster] of [
      ['clusterroles', true],
      ['roles', false],
    ] as const) {
      const key = ({ metadata }: Role): string => (cluster ? `/${metadata.name}` : `${metadata.namespace}/${metadata.name}`);
      reader.onChange(GROUP, resource, (type, object) => {
        if (type === 'DELETED') this.#roles.delete(key(object));
        else this.#roles.set(key(object), object);
        this.#changed();
      });
      for (const role of reader.list<Role>(GROUP, resource)) this.#roles.set(key(role), role);
    }
    for (const resource of ['clusterrolebindings', 'rolebindings']) {
      const known = new Map<string, Binding>();
      const put = (type: string, binding: Binding): void => {
        const { namespace = '', name = '' } = binding.metadata;
        const key = `${namespace}/${name}`;
        const before = known.get(key);
        if (before) this.#unindex(namespace, before);
        if (type === 'DELETED') {
          known.delete(key);
        } else {
          known.set(key, binding);
          this.#index(namespace, binding);
        }
      };
      reader.onChange(GROUP, resource, (type, object) => {
        put(type, object as Binding);
        this.#changed();
      });
      for (const binding of reader.list<Binding>(GROUP, resource)) put('ADDED', binding);
    }
  }

  /** Called after any role or binding changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The rules of a role that a binding refers to; undefined when there is no such role. `namespace` is the binding's. */
  rulesOf(ref: { kind: string; name: string }, namespace: string): readonly PolicyRule[] | undefined {
    const role = this.#roles.get(ref.kind === 'ClusterRole' ? `/${ref.name}` : `${namespace}/${ref.name}`);
    return role && (role.rules ?? []);
  }

  /**
   * Calls `visit` for each rule that applies to the user there, cluster-wide grants first, until it returns true.
   * A binding whose role is missing goes to `missing`.
   */
  visit(user: UserInfo, namespace: string, visit: (grant: Grant) => boolean, missing: (error: string) => void): void {
    if (this.#visitIndex('', user, visit, missing)) return;
    if (namespace !== '') this.#visitIndex(namespace, user, visit, missing);
  }

  #visitIndex(namespace: string, user: UserInfo, visit: (grant: Grant) => boolean, missing: (error: string) => void): boolean {
    const index = this.#bindings.get(namespace);
    if (!index) return false;
    let seen: Set<Binding> | undefined;
    for (let i = -1; i < user.groups.length; i++) {
      const subjectKey = i < 0 ? `u:${user.name}` : `g:${user.groups[i]}`;
      const bindings = index.get(subjectKey);
      if (!bindings) continue;
      for (const binding of bindings.values()) {
        seen ??= new Set();
        if (seen.has(binding)) continue;
        seen.add(binding);
        const rules = this.rulesOf(binding.roleRef, namespace);
        if (!rules) {
          missing(`${binding.roleRef.kind.toLowerCase()}.${GROUP} ${JSON.stringify(binding.roleRef.name)} not found`);
          continue;
        }
        const subject = (binding.subjects ?? []).find((one) => keyOf(one, namespace) === subjectKey) as Subject;
        for (const rule of rules) if (visit({ rule, binding, subject })) return true;
      }
    }
    return false;
  }

  #index(namespace: string, binding: Binding): void {
    let index = this.#bindings.get(namespace);
    if (!index) this.#bindings.set(namespace, (index = new Map()));
    for (const subject of binding.subjects ?? []) {
      const key = keyOf(subject, namespace);
      let bindings = index.get(key);
      if (!bindings) index.set(key, (bindings = new Map()));
      bindings.set(binding.metadata.name ?? '', binding);
    }
  }

  #unindex(namespace: string, binding: Binding): void {
    const index = this.#bindings.get(namespace);
    for (const subject of binding.subjects ?? []) {
      const key = keyOf(subject, namespace);
      const bindings = index?.get(key);
      bindings?.delete(binding.metadata.name ?? '');
      if (bindings?.size === 0) index?.delete(key);
    }
    if (index?.size === 0) this.#bindings.delete(namespace);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A service account is the user its tokens authenticate as; without a namespace it is of the binding's. */
function keyOf(subject: Subject, namespace: string): string {
  if (subject.kind === 'Group') return `g:${subject.name}`;
  if (subject.kind === 'User') return `u:${subject.name}`;
  return `u:system:serviceaccount:${subject.namespace || namespace}:${subject.name}`;
}

const resolvers = new WeakMap<ApiReader, RuleResolver>();

/** The authorizer and the escalation check of one API server share their indexes. */
export function resolverFor(reader: ApiReader): RuleResolver {
  let resolver = resolvers.get(reader);
  if (!resolver) resolvers.set(reader, (resolver = new RuleResolver(reader)));
  return resolver;
}
