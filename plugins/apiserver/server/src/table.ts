import type { TableColumn } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Call } from './call.ts';
import type { Resource } from './registry.ts';
import { columnDescription } from './schema/descriptions.ts';
import { badRequest } from './status.ts';

/** The kinds without columns of their own are shown by name and creation time. */
const DEFAULT_COLUMNS: readonly TableColumn[] = [
  { name: 'Name', type: 'string', format: 'name', priority: 0 },
  { name: 'Created At', type: 'date', priority: 0 },
];

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export function tableOf(
  resource: Resource,
  objects: readonly KubeObject[],
  meta: Record<string, unknown>,
  call: Call,
  version: string,
  single: boolean,
): Record<string, unknown> {
  const include = includeObject(call);
  const definition = resource.definition.table;
  const now = Date.now();
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: single && objects[0] ? { resourceVersion: objects[0].metadata.resourceVersion } : meta,
    columnDefinitions: (definition?.columns ?? DEFAULT_COLUMNS).map(column),
    rows: objects.map((object) => ({
      cells: definition ? definition.cells(object, now) : [object.metadata.name, object.metadata.creationTimestamp ?? null],
      conditions: definition?.conditions?.(object),
      object: rowObject(object, include, version),
    })),
  };
}

function column(definition: TableColumn): Record<string, unknown> {
  const { name, type, format, priority } = definition;
  return { name, type, format: format ?? '', description: columnDescription(definition), priority: priority ?? 0 };
}

type Include = 'None' | 'Metadata' | 'Object';

export function includeObject(call: Call): Include {
  const asked = call.query.get('includeObject') ?? '';
  if (asked === '' || asked === 'Metadata') return 'Metadata';
  if (asked === 'None' || asked === 'Object') return asked;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
}

function rowObject(object: KubeObject, include: Include, version: string): unknown {
  if (include === 'None') return null;
  if (include === 'Object') return object;
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}
