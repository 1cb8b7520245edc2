import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TableColumn } from '@kubernel/sdk';
import type { Descriptions } from './openapi-schemas.ts';

/**
 * What fields mean, for `kubectl explain`: joined at run time from the doc comments of @kubernetes/client-node, where it is installed; the
 * tables of this project hold no prose. One small file is read for each type that a document shows.
 */
export function clientLibraryDescriptions(): Descriptions | undefined {
  const models = modelsFolder();
  if (!models) return undefined;
  const known = new Map<string, Texts>();
  const textsOf = (type: string): Texts => {
    let texts = known.get(type);
    if (!texts) {
      // documents are made in bursts; between them the prose need not take room
      if (known.size === 0) setTimeout(() => known.clear(), KEEP_MS).unref();
      texts = read(models, type);
      known.set(type, texts);
    }
    return texts;
  };
  return {
    ofType: (type) => textsOf(type).type,
    ofField: (type, field) => textsOf(type).fields.get(field.replace(/[^A-Za-z0-9]/g, '')),
  };
}

const KEEP_MS = 10_000;

interface Texts {
  type: string | undefined;
  /** By name without punctuation, since the library renames what is no identifier. */
  fields: Map<string, string>;
}

function modelsFolder(): string | undefined {
  try {
    const folder = join(dirname(fileURLToPath(import.meta.resolve('@kubernetes/client-node'))), 'gen', 'models');
    return existsSync(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** `core.v1.Pod` is V1Pod there, and CoreV1Event where two groups have a kind of one name. */
function read(models: string, type: string): Texts {
  const [group = '', version = '', name = ''] = type.split('.');
  const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  for (const candidate of [`${capital(group)}${capital(version)}${name}`, `${capital(version)}${name}`]) {
    const file = join(models, `${candidate}.d.ts`);
    if (existsSync(file)) return parse(readFileSync(file, 'utf8'));
  }
  return { type: undefined, fields: new Map() };
}

const CLASS = /\/\*\*\n((?:(?!\*\/)[\s\S])*)\*\/\nexport declare class/;
const FIELD = /\/\*\*\n((?:(?!\*\/)[\s\S])*)\*\/\n\s*'([^']+)'\??:/g;

function parse(source: string): Texts {
  const fields = new Map<string, string>();
  for (const [, comment = '', name = ''] of source.matchAll(FIELD)) fields.set(name.replace(/[^A-Za-z0-9]/g, ''), prose(comment));
  const comment = CLASS.exec(source)?.[1];
  return { type: comment === undefined ? undefined : prose(comment), fields };
}

function prose(comment: string): string {
  return (
    comment
      .split('\n')
      .map((line) => line.replace(/^\s*\*\s?/, ''))
      .join('\n')
      .trim()
      .replace(/\\(['"\\])/g, '$1')
      // the library puts spaces for line breaks
      .replace(/ {2}(?=\S)/g, '\n\n')
  );
}

let library: Descriptions | undefined;

/** What a table's column shows, in the words of its field's documentation. */
export function columnDescription({ description, describedBy }: TableColumn): string {
  if (description !== undefined || describedBy === undefined) return description ?? '';
  library ??= clientLibraryDescriptions() ?? { ofType: () => undefined, ofField: () => undefined };
  const dot = describedBy.lastIndexOf('.');
  const text = library.ofField(describedBy.slice(0, dot), describedBy.slice(dot + 1)) ?? '';
  return WIDELY_SPACED.has(describedBy) ? text.replaceAll('\n\n', '  ') : text;
}

/** Fields whose authors put two spaces between sentences, which look like the line breaks of others. */
const WIDELY_SPACED: ReadonlySet<string> = new Set([
  'autoscaling.v2.HorizontalPodAutoscalerSpec.metrics',
  'autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas',
  'batch.v1.CronJobSpec.suspend',
  'flowcontrol.v1.FlowSchemaSpec.matchingPrecedence',
  'storage.v1.StorageClass.volumeBindingMode',
]);
