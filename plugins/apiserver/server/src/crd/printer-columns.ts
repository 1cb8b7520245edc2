import type { TableColumn, TableDefinition } from '@kubernel/sdk';
import { age, ageCell } from '@kubernel/sdk/api';
import type { PrinterColumn } from './definition.ts';
import { compileJsonPath } from './json-path.ts';

/** How custom resources print: their name, and the columns their definition asks for; without any, their age. */
export function tableOfColumns(given: readonly PrinterColumn[] | undefined): TableDefinition {
  const name: TableColumn = { name: 'Name', type: 'string', format: 'name', priority: 0, describedBy: 'meta.v1.ObjectMeta.name' };
  if (!given || given.length === 0) {
    const created: TableColumn = { name: 'Age', type: 'date', priority: 0, describedBy: 'meta.v1.ObjectMeta.creationTimestamp' };
    return { columns: [name, created], cells: (object, now) => [object.metadata.name ?? '', ageCell(object, now)] };
  }
  const columns = given.map((column): TableColumn => {
    const { type, format, priority, description, jsonPath } = column;
    return {
      name: column.name,
      type: type as TableColumn['type'],
      format: format ?? '',
      priority: priority ?? 0,
      description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    };
  });
  // Compiled when the first table is asked for.
  let cells: ((object: unknown, now: number) => unknown)[] | undefined;
  return {
    columns: [name, ...columns],
    cells(object, now) {
      cells ??= given.map(({ type, jsonPath }) => {
        const find = compileJsonPath(jsonPath);
        return (from, at) => {
          const [first] = find(from);
          return first === undefined ? null : cell(type, first, at);
        };
      });
      return [object.metadata.name ?? '', ...cells.map((read) => read(object, now))];
    },
  };
}

/** A value that is not of the column's type is not shown. */
function cell(type: string, value: unknown, now: number): unknown {
  switch (type) {
    case 'string':
      return text(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : age(value, now);
    default:
      return null;
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
