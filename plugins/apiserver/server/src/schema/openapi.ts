import type { ApiGroup } from '@kubernel/sdk';
import { byPriority } from './discovery.ts';
import { KNOWN_VERSIONS } from './known-versions.ts';
import type { Operation, Parameter } from './openapi-operations.ts';
import { capital, groupTag, OBJECT_TYPES, operationsOf } from './openapi-operations.ts';
import type { Descriptions, External, Json } from './openapi-schemas.ts';
import { Definitions, kindsOfTypes } from './openapi-schemas.ts';
import type { TypeRegistry } from './type-registry.ts';

/** OpenAPI documents from types and resources. Objects, to be serialised; made when asked for, since they are large. */

const INFO = { title: 'Kubernetes', version: '1.36' };
const SECURITY = { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } };
const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

export interface OpenApiSource {
  groups: Iterable<ApiGroup>;
  types: TypeRegistry;
  descriptions?: Descriptions;
  /** Knows the types of custom resources. */
  external?: External;
}

/** Paths below /openapi/v3/ (`api/v1`, `apis/apps/v1`, `version`) and how to make the document of each. */
export function openApiV3({ groups, types, descriptions, external }: OpenApiSource): Map<string, () => Json> {
  const documents = new Map<string, () => Json>();
  const ordered = byPriority(groups);
  const kinds = kindsOfTypes(ordered);
  const document = (operations: () => Operation[], groupVersions: [string, string][]) => (): Json => {
    const definitions = new Definitions(types, 3, kinds, groupVersions, descriptions, external);
    const paths = pathsV3(operations(), definitions);
    const schemas = Object.fromEntries(Object.entries(definitions.built).sort(([a], [b]) => (a < b ? -1 : 1)));
    const components: Json = Object.keys(schemas).length ? { schemas, securitySchemes: SECURITY } : { securitySchemes: SECURITY };
    return { openapi: '3.0.0', info: INFO, paths, components };
  };
  documents.set(
    'api',
    document(() => [rootOperation('/api/', 'getCoreAPIVersions', 'core', 'meta.v1.APIVersions')], [['', 'v1']]),
  );
  documents.set(
    'apis',
    document(() => [rootOperation('/apis/', 'getAPIVersions', 'apis', 'meta.v1.APIGroupList')], [['', 'v1']]),
  );
  for (const group of ordered) {
    if (group.group)
      documents.set(
        `apis/${group.group}`,
        document(() => [groupOperation(group.group)], [['', 'v1']]),
      );
    for (const version of group.versions) {
      const groupVersions: [string, string][] = group.group
        ? [
            ['', 'v1'],
            [group.group, version],
          ]
        : [['', version]];
      documents.set(
        group.group ? `apis/${group.group}/${version}` : `api/${version}`,
        document(() => operationsOf(group, version), groupVersions),
      );
    }
  }
  documents.set('version', () => versionDocument());
  documents.set('.well-known/openid-configuration', () =>
    textDocument('/.well-known/openid-configuration/', 'WellKnown', 'getServiceAccountIssuerOpenIDConfiguration', 'application/json'),
  );
  documents.set('openid/v1/jwks', () =>
    textDocument('/openid/v1/jwks/', 'openid', 'getServiceAccountIssuerOpenIDKeyset', 'application/jwk-set+json'),
  );
  return documents;
}

function rootOperation(path: string, id: string, tag: string, type: string): Operation {
  return { path, method: 'get', id, tag, parameters: [], responses: { codes: [200], type }, produces: OBJECT_TYPES };
}

function groupOperation(group: string): Operation {
  const tag = groupTag(group);
  return rootOperation(`/apis/${group}/`, `get${capital(tag)}APIGroup`, tag, 'meta.v1.APIGroup');
}

/** All groups in one document, as /openapi/v2 has it. */
export function openApiV2({ groups, types, descriptions, external }: OpenApiSource): Json {
  const ordered = byPriority(groups);
  const known: Record<string, readonly string[]> = { ...KNOWN_VERSIONS };
  for (const { group, versions } of ordered) known[group] = [...new Set([...(known[group] ?? []), ...versions])].sort();
  const groupVersions = Object.keys(known)
    .sort()
    .flatMap((group) => (known[group] ?? []).map((version): [string, string] => [group, version]));
  const definitions = new Definitions(types, 2, kindsOfTypes(ordered), groupVersions, descriptions, external);
  const operations = [
    rootOperation('/api/', 'getCoreAPIVersions', 'core', 'meta.v1.APIVersions'),
    rootOperation('/apis/', 'getAPIVersions', 'apis', 'meta.v1.APIGroupList'),
    ...ordered.filter(({ group }) => group !== '').map(({ group }) => groupOperation(group)),
    ...ordered.flatMap((group) => group.versions.flatMap((version) => operationsOf(group, version))),
  ];
  const paths = pathsV2(operations, definitions);
  definitions.built[VERSION_INFO] = { type: 'object', ...versionInfo(false) };
  return {
    swagger: '2.0',
    info: INFO,
    paths,
    definitions: Object.fromEntries(Object.entries(definitions.built).sort(([a], [b]) => (a < b ? -1 : 1))),
    securityDefinitions: SECURITY,
    security: [{ BearerToken: [] }],
  };
}

// ---------------------------------------------------------------------------------------------------------- paths

/** Operations by path; parameters that all operations of a path have stand at the path. */
function byPath(
  operations: Operation[],
  render: (operation: Operation, own: Parameter[]) => Json,
  renderParameter: (parameter: Parameter) => Json,
): Json {
  const paths: Json = {};
  const grouped = Map.groupBy(operations, ({ path }) => path.replace('/namespaces/{namespace}/namespaces', '/namespaces'));
  for (const [path, list] of [...grouped].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = ({ name, in: where }: Parameter): string => `${name} ${where}`;
    const common = (list[0]?.parameters ?? []).filter((parameter) =>
      list.every(({ parameters }) => parameters.some((other) => key(other) === key(parameter))),
    );
    const isCommon = new Set(common.map(key));
    const item: Json = {};
    for (const operation of list)
      item[operation.method] = render(
        operation,
        sortedParameters(operation.parameters.filter((parameter) => !isCommon.has(key(parameter)))),
      );
    if (common.length) item.parameters = sortedParameters(common).map(renderParameter);
    paths[path] = item;
  }
  return paths;
}

function sortedParameters(parameters: Parameter[]): Parameter[] {
  return [...parameters].sort((a, b) => (a.name !== b.name ? (a.name < b.name ? -1 : 1) : a.in < b.in ? -1 : 1));
}

function pathsV3(operations: Operation[], definitions: Definitions): Json {
  const parameterV3 = ({ name, in: where, type }: Parameter): Json => ({
    name,
    in: where,
    ...(where === 'path' && { required: true }),
    schema: { type, uniqueItems: true },
  });
  return byPath(
    operations,
    (operation, own) => {
      const schema = operation.responses.type ? definitions.ref(operation.responses.type) : { type: 'string' };
      const responses: Json = {};
      for (const code of operation.responses.codes)
        responses[code] = { content: Object.fromEntries(operation.produces.map((mediaType) => [mediaType, { schema }])) };
      responses[401] = {};
      return {
        tags: [operation.tag],
        operationId: operation.id,
        ...(own.length && { parameters: own.map(parameterV3) }),
        ...(operation.body && { requestBody: bodyV3(operation, operation.body, definitions) }),
        responses,
        ...markers(operation),
      };
    },
    parameterV3,
  );
}

function patchTypes({ custom }: Operation): string[] {
  return custom ? PATCH_TYPES.filter((type) => !type.includes('strategic')) : PATCH_TYPES;
}

function bodyV3(operation: Operation, { type, required }: NonNullable<Operation['body']>, definitions: Definitions): Json {
  const schema = definitions.ref(type);
  const mediaTypes = type === 'meta.v1.Patch' ? patchTypes(operation) : ['*/*'];
  return { content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }])), ...(required && { required }) };
}

function pathsV2(operations: Operation[], definitions: Definitions): Json {
  const parameterV2 = ({ name, in: where, type }: Parameter): Json => ({
    uniqueItems: true,
    type,
    name,
    in: where,
    ...(where === 'path' && { required: true }),
  });
  return byPath(
    operations,
    (operation, own) => {
      const schema = operation.responses.type ? definitions.ref(operation.responses.type) : { type: 'string' };
      const responses: Json = {};
      for (const code of operation.responses.codes) responses[code] = { description: STATUS_TEXT[code], schema };
      responses[401] = { description: 'Unauthorized' };
      const parameters = own.map(parameterV2);
      if (operation.body)
        parameters.push({
          name: 'body',
          in: 'body',
          ...(operation.body.required && { required: true }),
          schema: definitions.ref(operation.body.type),
        });
      return {
        consumes: operation.body?.type === 'meta.v1.Patch' ? patchTypes(operation) : operation.action ? ['*/*'] : OBJECT_TYPES,
        produces: operation.produces,
        schemes: ['https'],
        tags: [operation.tag],
        operationId: operation.id,
        ...(parameters.length && { parameters }),
        responses,
        ...markers(operation),
      };
    },
    parameterV2,
  );
}

const STATUS_TEXT: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

function markers({ action, kind }: Operation): Json {
  return { ...(action && { 'x-kubernetes-action': action }), ...(kind && { 'x-kubernetes-group-version-kind': kind }) };
}

const VERSION_INFO = 'io.k8s.apimachinery.pkg.version.Info';

/** What /version answers. */
function versionInfo(withDefaults: boolean): Json {
  const required = ['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'buildDate', 'goVersion', 'compiler', 'platform'];
  const optional = ['emulationMajor', 'emulationMinor', 'minCompatibilityMajor', 'minCompatibilityMinor'];
  const properties = [...required, ...optional]
    .sort()
    .map((name) => [name, { type: 'string', ...(withDefaults && required.includes(name) && { default: '' }) }] as const);
  return { required, properties: Object.fromEntries(properties) };
}

function versionDocument(): Json {
  const schema = { $ref: `#/components/schemas/${VERSION_INFO}` };
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: {
      '/version/': {
        get: {
          tags: ['version'],
          operationId: 'getCodeVersion',
          responses: { 200: { content: { 'application/json': { schema } } }, 401: {} },
        },
      },
    },
    components: { schemas: { [VERSION_INFO]: { type: 'object', ...versionInfo(true) } }, securitySchemes: SECURITY },
  };
}

function textDocument(path: string, tag: string, id: string, mediaType: string): Json {
  const responses = { 200: { content: { [mediaType]: { schema: { type: 'string' } } } }, 401: {} };
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: { [path]: { get: { tags: [tag], operationId: id, responses } } },
    components: { securitySchemes: SECURITY },
  };
}
