import type { ApiGroup, ResourceDefinition, Subresource } from '@kubernel/sdk';
import { kindOf, verbsOf } from './discovery.ts';

/** The operations of a group version, free of any document version: what exists, by path and method. */
export interface Operation {
  path: string;
  method: string;
  id: string;
  tag: string;
  action?: string;
  /** Of a custom resource, which knows no strategic merge patch. */
  custom?: boolean;
  kind?: { group: string; version: string; kind: string };
  parameters: Parameter[];
  /** Type of the body; `Patch` has media types of its own. */
  body?: { type: string; required: boolean };
  /** HTTP codes and the type they answer; undefined: text. */
  responses: { codes: number[]; type?: string };
  produces: readonly string[];
}

export interface Parameter {
  name: string;
  in: 'query' | 'path';
  type: 'string' | 'boolean' | 'integer';
}

const query = (name: string, type: Parameter['type'] = 'string'): Parameter => ({ name, in: 'query', type });
const pathParameter = (name: string): Parameter => ({ name, in: 'path', type: 'string' });

const PRETTY = query('pretty');
const LIST = [
  query('allowWatchBookmarks', 'boolean'),
  query('continue'),
  query('fieldSelector'),
  query('labelSelector'),
  query('limit', 'integer'),
  query('resourceVersion'),
  query('resourceVersionMatch'),
  query('sendInitialEvents', 'boolean'),
  query('shardSelector'),
  query('timeoutSeconds', 'integer'),
  query('watch', 'boolean'),
];
const WRITE = [query('dryRun'), query('fieldManager'), query('fieldValidation')];
const PATCH = [...WRITE, query('force', 'boolean')];
const DELETE = [
  query('dryRun'),
  query('gracePeriodSeconds', 'integer'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean'),
  query('orphanDependents', 'boolean'),
  query('propagationPolicy'),
];
const DELETE_COLLECTION = [...DELETE, ...LIST.filter(({ name }) => name !== 'allowWatchBookmarks' && name !== 'watch')];

/** Query parameters of connections, by the kind of their options. */
const CONNECT: Readonly<Record<string, Parameter[]>> = {
  PodAttachOptions: [
    query('container'),
    query('stderr', 'boolean'),
    query('stdin', 'boolean'),
    query('stdout', 'boolean'),
    query('tty', 'boolean'),
  ],
  PodExecOptions: [
    query('command'),
    query('container'),
    query('stderr', 'boolean'),
    query('stdin', 'boolean'),
    query('stdout', 'boolean'),
    query('tty', 'boolean'),
  ],
  PodPortForwardOptions: [query('ports', 'integer')],
  PodProxyOptions: [query('path')],
  ServiceProxyOptions: [query('path')],
  NodeProxyOptions: [query('path')],
};
const LOG = [
  query('container'),
  query('follow', 'boolean'),
  query('insecureSkipTLSVerifyBackend', 'boolean'),
  query('limitBytes', 'integer'),
  PRETTY,
  query('previous', 'boolean'),
  query('sinceSeconds', 'integer'),
  query('stream'),
  query('tailLines', 'integer'),
  query('timestamps', 'boolean'),
];

export const OBJECT_TYPES = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml'];
const LIST_TYPES = [
  'application/json',
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf;stream=watch',
  'application/yaml',
];

/** `flowcontrol.apiserver.k8s.io` -> `flowcontrolApiserver`. */
export function groupTag(group: string): string {
  if (group === '') return 'core';
  return group.replace(/\.k8s\.io$/, '').replace(/[.-](\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function operationsOf(group: ApiGroup, version: string): Operation[] {
  const root = group.group ? `/apis/${group.group}/${version}` : `/api/${version}`;
  const tag = `${groupTag(group.group)}_${version}`;
  const prefix = capital(groupTag(group.group)) + capital(version);
  const operations: Operation[] = [
    {
      path: `${root}/`,
      method: 'get',
      id: `get${prefix}APIResources`,
      tag,
      parameters: [],
      responses: { codes: [200], type: 'meta.v1.APIResourceList' },
      produces: OBJECT_TYPES,
    },
  ];
  for (const definition of group.resources)
    if (definition.version === version) {
      const own = new ResourceOperations(definition, root, tag, prefix).all();
      operations.push(...(definition.custom ? own.map((operation) => ({ ...operation, custom: true })) : own));
    }
  return operations;
}

class ResourceOperations {
  readonly #definition: ResourceDefinition;
  readonly #root: string;
  readonly #tag: string;
  readonly #prefix: string;
  readonly #scope: string;
  readonly #collection: string;
  readonly #pathParameters: Parameter[];
  readonly #operations: Operation[] = [];

  constructor(definition: ResourceDefinition, root: string, tag: string, prefix: string) {
    this.#definition = definition;
    this.#root = root;
    this.#tag = tag;
    this.#prefix = prefix;
    this.#scope = definition.namespaced ? 'Namespaced' : '';
    this.#collection = definition.namespaced ? `${root}/namespaces/{namespace}/${definition.plural}` : `${root}/${definition.plural}`;
    this.#pathParameters = definition.namespaced ? [pathParameter('namespace')] : [];
  }

  all(): Operation[] {
    const { verbs, kind, type, namespaced, plural } = this.#definition;
    const has = (verb: (typeof verbs)[number]): boolean => verbs.includes(verb);
    const list = `${type.slice(0, type.lastIndexOf('.'))}.${this.#definition.listKind ?? `${kind}List`}`;
    const single = `${this.#collection}/{name}`;
    const named = [pathParameter('name'), ...this.#pathParameters];
    const isStored = !this.#definition.virtual;
    const listTypes = isStored ? LIST_TYPES : LIST_TYPES;
    if (has('list')) {
      this.#add(
        this.#collection,
        'get',
        `list${this.#prefix}${this.#scope}${kind}`,
        'list',
        [...LIST, PRETTY, ...this.#pathParameters],
        { codes: [200], type: list },
        { produces: listTypes },
      );
      if (namespaced) {
        const path = `${this.#root}/${plural}`;
        this.#add(
          path,
          'get',
          `list${this.#prefix}${kind}ForAllNamespaces`,
          'list',
          [...LIST, PRETTY],
          { codes: [200], type: list },
          { produces: listTypes },
        );
      }
    }
    if (has('create')) {
      this.#add(
        this.#collection,
        'post',
        `create${this.#prefix}${this.#scope}${kind}`,
        'post',
        [...WRITE, PRETTY, ...this.#pathParameters],
        { codes: [200, 201, 202], type },
        { body: { type, required: true } },
      );
    }
    if (has('deletecollection')) {
      const parameters = [...DELETE_COLLECTION, PRETTY, ...this.#pathParameters];
      const responses = { codes: [200], type: 'meta.v1.Status' };
      this.#add(
        this.#collection,
        'delete',
        `delete${this.#prefix}Collection${this.#scope}${kind}`,
        'deletecollection',
        parameters,
        responses,
        { body: { type: 'meta.v1.DeleteOptions', required: false } },
      );
    }
    if (has('get')) this.#add(single, 'get', `read${this.#prefix}${this.#scope}${kind}`, 'get', [PRETTY, ...named], { codes: [200], type });
    if (has('update')) {
      this.#add(
        single,
        'put',
        `replace${this.#prefix}${this.#scope}${kind}`,
        'put',
        [...WRITE, PRETTY, ...named],
        { codes: [200, 201], type },
        { body: { type, required: true } },
      );
    }
    if (has('patch')) this.#patch(single, `patch${this.#prefix}${this.#scope}${kind}`, named, type);
    if (has('delete')) {
      const answer = this.#definition.strategy?.returnDeletedObject ? type : 'meta.v1.Status';
      const body = { type: 'meta.v1.DeleteOptions', required: false };
      this.#add(
        single,
        'delete',
        `delete${this.#prefix}${this.#scope}${kind}`,
        'delete',
        [...DELETE, PRETTY, ...named],
        { codes: [200, 202], type: answer },
        { body },
      );
    }
    if (has('watch')) this.#watches(named);
    for (const [name, subresource] of Object.entries(this.#definition.subresources ?? {}))
      this.#subresource(name, subresource, `${single}/${name}`, named);
    return this.#operations;
  }

  #watches(named: Parameter[]): void {
    const { kind, namespaced, plural } = this.#definition;
    const watchRoot = `${this.#root}/watch`;
    const collection = namespaced ? `${watchRoot}/namespaces/{namespace}/${plural}` : `${watchRoot}/${plural}`;
    const answer = { codes: [200], type: 'meta.v1.WatchEvent' };
    const produces = { produces: LIST_TYPES };
    this.#add(
      collection,
      'get',
      `watch${this.#prefix}${this.#scope}${kind}List`,
      'watchlist',
      [...LIST, PRETTY, ...this.#pathParameters],
      answer,
      produces,
    );
    this.#add(
      `${collection}/{name}`,
      'get',
      `watch${this.#prefix}${this.#scope}${kind}`,
      'watch',
      [...LIST, PRETTY, ...named],
      answer,
      produces,
    );
    if (namespaced)
      this.#add(
        `${watchRoot}/${plural}`,
        'get',
        `watch${this.#prefix}${kind}ListForAllNamespaces`,
        'watchlist',
        [...LIST, PRETTY],
        answer,
        produces,
      );
  }

  #patch(path: string, id: string, named: Parameter[], type: string, kind?: Operation['kind']): void {
    this.#add(
      path,
      'patch',
      id,
      'patch',
      [...PATCH, PRETTY, ...named],
      { codes: [200, 201], type },
      { body: { type: 'meta.v1.Patch', required: true }, ...(kind && { kind }) },
    );
  }

  #subresource(name: string, subresource: Subresource, path: string, named: Parameter[]): void {
    const { kind: parentKind } = this.#definition;
    const { group, version, kind, type: bodyType } = kindOf(subresource, this.#definition);
    const gvk = { group, version, kind };
    const type = subresource.type === 'scale' ? 'autoscaling.v1.Scale' : (bodyType ?? this.#definition.type);
    const id = (verb: string): string => `${verb}${this.#prefix}${this.#scope}${parentKind}${capital(name)}`;
    if (subresource.type === 'connect') return this.#connect(name, subresource, path, named, gvk);
    const verbs = verbsOf(subresource);
    if (verbs.includes('get')) this.#add(path, 'get', id('read'), 'get', [PRETTY, ...named], { codes: [200], type }, { kind: gvk });
    if (verbs.includes('create')) {
      this.#add(
        path,
        'post',
        id('create'),
        'post',
        [...WRITE, PRETTY, ...named],
        { codes: [200, 201, 202], type },
        { kind: gvk, body: { type, required: true } },
      );
    }
    if (verbs.includes('update')) {
      this.#add(
        path,
        'put',
        id('replace'),
        'put',
        [...WRITE, PRETTY, ...named],
        { codes: [200, 201], type },
        { kind: gvk, body: { type, required: true } },
      );
    }
    if (verbs.includes('patch')) this.#patch(path, id('patch'), named, type, gvk);
  }

  #connect(
    name: string,
    { connect, methods }: Extract<Subresource, { type: 'connect' }>,
    path: string,
    named: Parameter[],
    gvk: NonNullable<Operation['kind']>,
  ): void {
    const { kind } = this.#definition;
    if (connect === 'log') {
      const produces = [...OBJECT_TYPES, 'text/plain'];
      this.#add(
        path,
        'get',
        `read${this.#prefix}${this.#scope}${kind}Log`,
        'get',
        [...LOG, ...named],
        { codes: [200] },
        { kind: gvk, produces },
      );
      return;
    }
    const parameters = [...(CONNECT[gvk.kind] ?? []), ...named];
    for (const method of methods) {
      const id = `connect${this.#prefix}${capital(method.toLowerCase())}${this.#scope}${kind}${capital(name)}`;
      const options = { kind: gvk, produces: ['*/*'] };
      this.#add(path, method.toLowerCase(), id, 'connect', parameters, { codes: [200] }, options);
      if (connect === 'proxy') {
        this.#add(
          `${path}/{path}`,
          method.toLowerCase(),
          `${id}WithPath`,
          'connect',
          [...parameters, pathParameter('path')],
          { codes: [200] },
          options,
        );
      }
    }
  }

  #add(
    path: string,
    method: string,
    id: string,
    action: string,
    parameters: Parameter[],
    responses: Operation['responses'],
    rest: Partial<Pick<Operation, 'body' | 'kind' | 'produces'>> = {},
  ): void {
    const { group, version, kind } = this.#definition;
    // the namespaces themselves stand where other paths have a namespace
    this.#operations.push({
      path,
      method,
      id,
      tag: this.#tag,
      action,
      kind: { group, version, kind },
      parameters,
      responses,
      produces: OBJECT_TYPES,
      ...rest,
    });
  }
}
