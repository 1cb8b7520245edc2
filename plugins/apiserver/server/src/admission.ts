import type { Admission, AdmissionAttributes, AdmissionOperation, ApiReader, Extensions } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { AdmissionChain } from './api.ts';
import type { Call } from './call.ts';
import type { Resource } from './registry.ts';

export interface AdmissionSubject {
  object: KubeObject | undefined;
  oldObject: KubeObject | undefined;
  options: Record<string, unknown>;
  dryRun: boolean;
}

export function admissionAttributes(
  call: Call,
  resource: Resource,
  operation: AdmissionOperation,
  subject: AdmissionSubject,
): AdmissionAttributes {
  return {
    operation,
    user: call.user,
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    subresource: call.info.subresource,
    kind: resource.kind,
    namespace: call.info.namespace,
    name: call.info.name || subject.object?.metadata.name || '',
    ...subject,
    warn: (message) => call.warnings.push(message),
    annotate: () => {},
  };
}

/**
 * All admission plugins, in the order of the config. Which of them care about a resource is asked once and kept until
 * the set of plugins changes, so a request passes only those.
 */
export class Admissions implements AdmissionChain {
  readonly #extensions: Extensions<Admission>;
  readonly #interested = new Map<string, Admission[]>();

  constructor(extensions: Extensions<Admission>) {
    this.#extensions = extensions;
    extensions.onChange(() => this.#interested.clear());
  }

  async init(reader: ApiReader): Promise<void> {
    const done = new WeakSet<Admission>();
    const each = async (): Promise<void> => {
      for (const { instance } of this.#extensions) {
        if (done.has(instance)) continue;
        done.add(instance);
        await instance.init?.(reader);
      }
    };
    this.#extensions.onChange(() => void each());
    await each();
  }

  admit(attributes: AdmissionAttributes): Promise<void> | undefined {
    return this.#run('admit', attributes);
  }

  validate(attributes: AdmissionAttributes): Promise<void> | undefined {
    return this.#run('validate', attributes);
  }

  #run(phase: 'admit' | 'validate', attributes: AdmissionAttributes): Promise<void> | undefined {
    const plugins = this.#of(attributes);
    return plugins.length === 0 ? undefined : each(plugins, phase, attributes);
  }

  #of({ operation, group, resource, subresource }: AdmissionAttributes): Admission[] {
    const key = `${operation}/${group}/${resource}/${subresource}`;
    let plugins = this.#interested.get(key);
    if (!plugins) {
      plugins = [...this.#extensions]
        .map(({ instance }) => instance)
        .filter((plugin) => plugin.handles(operation, group, resource, subresource));
      this.#interested.set(key, plugins);
    }
    return plugins;
  }
}

async function each(plugins: readonly Admission[], phase: 'admit' | 'validate', attributes: AdmissionAttributes): Promise<void> {
  for (const plugin of plugins) {
    const answer = plugin[phase]?.(attributes);
    if (answer) await answer;
  }
}
