import type { TableColumn, TableDefinition } from '../roles/api.ts';
import type { KubeObject } from './object.ts';
import type { LabelSelector } from './selector.ts';

/** Pieces of Table answers (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables). */

/** `name` is a string that names the object, which `kubectl get -o name` and the console look for. */
type ColumnType = TableColumn['type'] | 'name';

/**
 * A table from its columns, in order. A column is `[name, cell]`, or `[name, type, cell]` with a type other than string; a `+` before the
 * name makes it a column of `-o wide` only. Last may stand the field whose documentation is the column's: `core.v1.ConfigMap.data`.
 */
export function table(...columns: readonly Column[]): TableDefinition {
  const parts = columns.map((given) => {
    const [name, type, cell, describedBy] = typeof given[1] === 'function' ? ([given[0], 'string', given[1], given[2]] as const) : given;
    const wide = name.startsWith('+');
    const isName = type === 'name';
    const column: TableColumn = {
      name: wide ? name.slice(1) : name,
      type: isName ? 'string' : type,
      format: isName ? 'name' : '',
      priority: wide ? 1 : 0,
      ...(typeof describedBy === 'string' && { describedBy }),
    };
    return { column, cell: cell as Cell };
  });
  return { columns: parts.map(({ column }) => column), cells: (object, now) => parts.map(({ cell }) => cell(object, now)) };
}

// biome-ignore lint/suspicious/noExplicitAny: cells read kinds they know; the table is typed by its use
export type Cell = (object: any, now: number) => unknown;
export type Column =
  | readonly [name: string, cell: Cell, describedBy?: string]
  | readonly [name: string, type: ColumnType, cell: Cell, describedBy?: string];

export const nameCell: Cell = (object: KubeObject) => object.metadata.name ?? '';
export const ageCell: Cell = (object: KubeObject, now) => age(object.metadata.creationTimestamp, now);

const CREATED = 'meta.v1.ObjectMeta.creationTimestamp';

export const nameColumn: Column = ['Name', 'name', nameCell, 'meta.v1.ObjectMeta.name'];
export const ageColumn: Column = ['Age', ageCell, CREATED];
export const createdAtColumn: Column = ['Created At', 'date', (object: KubeObject) => object.metadata.creationTimestamp ?? '', CREATED];

/** How long ago, as `kubectl get` shows it; `<unknown>` when it is not known. */
export function age(time: string | null | undefined, now: number): string {
  if (!time) return '<unknown>';
  return humanDuration(now - Date.parse(time));
}

/** `45s`, `3m20s`, `5h`, `2d`, `3y10d`: about two or three significant figures (client-go's HumanDuration). */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(ms / 60_000);
  if (minutes < 10) return withRest(minutes, 'm', Math.trunc(ms / 1000) % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(ms / 3_600_000);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, 'd', hours % 24, 'h');
  if (hours < 17_520) return `${days}d`;
  const years = Math.trunc(hours / 8760);
  if (hours < 70_080) return withRest(years, 'y', days % 365, 'd');
  return `${years}y`;
}

function withRest(amount: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${amount}${unit}` : `${amount}${unit}${rest}${restUnit}`;
}

/** `a=1,b=2`, sorted; `<none>` for no labels. */
export function labelsText(labels: Readonly<Record<string, string>> | null | undefined): string {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return '<none>';
  return entries
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

/** A LabelSelector as its string form; `<none>` when it selects everything or is missing. */
export function selectorText(selector: LabelSelector | null | undefined): string {
  if (!selector) return '<none>';
  const parts: [key: string, text: string][] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`]);
  for (const { key = '', operator, values = [] } of selector.matchExpressions ?? []) {
    const list = [...values].sort().join(',');
    if (operator === 'In') parts.push([key, `${key} in (${list})`]);
    else if (operator === 'NotIn') parts.push([key, `${key} notin (${list})`]);
    else if (operator === 'Exists') parts.push([key, key]);
    else if (operator === 'DoesNotExist') parts.push([key, `!${key}`]);
    else return '<error>';
  }
  parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return parts.map(([, text]) => text).join(',') || '<none>';
}

/** Names and images of a pod template's containers, comma separated. */
export function containerCells(
  template: { spec?: { containers?: { name?: string; image?: string }[] } } | undefined,
): [names: string, images: string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map(({ name }) => name).join(','), containers.map(({ image }) => image ?? '').join(',')];
}

/** The first few of a list, and how many more there are. */
export function firstOf(items: readonly string[], max: number): string {
  if (items.length <= max) return items.join(',');
  return `${items.slice(0, max).join(',')} + ${items.length - max} more...`;
}

/** Access modes as `kubectl` abbreviates them: `RWO,ROX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const short: [string, string][] = [
    ['ReadWriteOnce', 'RWO'],
    ['ReadOnlyMany', 'ROX'],
    ['ReadWriteMany', 'RWX'],
    ['ReadWriteOncePod', 'RWOP'],
  ];
  return short
    .filter(([mode]) => modes?.includes(mode))
    .map(([, text]) => text)
    .join(',');
}
