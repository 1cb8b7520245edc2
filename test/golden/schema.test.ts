import type { ResourceDefinition } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { describe, expect, test } from 'vitest';
import { aggregatedDiscovery, legacyDiscovery, SchemaCodec } from '../../plugins/apiserver/server/src/schema/index.ts';
import { parseYaml } from '../../plugins/apiserver/server/src/yaml.ts';
import { allGroups, casesOf, hasCorpus, oracle, resourceAt, type Step, sorted } from './corpus.ts';

// Types alone, without a server: what is filled in by the server, by strategies or by admission is left out of the comparison.

const codec = new SchemaCodec(allGroups);

const targetOf = ({ type, group, version, kind }: ResourceDefinition) => ({
  type,
  kind,
  apiVersion: group ? `${group}/${version}` : version,
});

function decodeStep(definition: ResourceDefinition, step: Step) {
  const target = targetOf(definition);
  const text = step.raw ?? JSON.stringify(step.body) ?? '';
  if (!(step.headers?.['content-type'] ?? '').includes('yaml')) return codec.decode(target, text);
  return codec.decodeValue(target, parseYaml(text), text);
}

describe.skipIf(!hasCorpus)('types, against upstream (skipped: ../shared/golden is not there)', () => {
  test('legacy discovery documents are upstream’s', () => {
    const expected = oracle('discovery-legacy');
    const address = (expected['/api'] as { serverAddressByClientCIDRs: { serverAddress: string }[] }).serverAddressByClientCIDRs[0]
      ?.serverAddress;
    const documents = legacyDiscovery(allGroups, address ?? '');
    for (const [path, document] of Object.entries(expected))
      expect([path, JSON.parse(JSON.stringify(documents.get(path) ?? null))]).toEqual([path, document]);
    expect([...documents.keys()].sort()).toEqual(Object.keys(expected).sort());
  });

  test('aggregated discovery documents are upstream’s', () => {
    const expected = oracle('discovery-aggregated');
    expect(JSON.parse(JSON.stringify(aggregatedDiscovery(allGroups, '/api')))).toEqual(expected.api);
    expect(JSON.parse(JSON.stringify(aggregatedDiscovery(allGroups, '/apis')))).toEqual(expected.apis);
  });

  test('bodies that cannot be decoded are refused in upstream’s words, and unknown fields are named', () => {
    const failures: string[] = [];
    let steps = 0;
    for (const { id, steps: all } of casesOf('types')) {
      for (const step of all) {
        const definition = resourceAt(step.path);
        if (!definition || !step.expect || step.method !== 'POST') continue;
        steps++;
        const wrong = typesMismatch(definition, step);
        if (wrong) failures.push(`${id}: ${wrong}`);
      }
    }
    console.log(`types: ${steps - failures.length} of ${steps} steps as upstream`);
    if (process.env.GOLDEN_VERBOSE) console.log(failures.join('\n'));
    expect(failures.length).toBeLessThanOrEqual(Number(process.env.GOLDEN_TYPES_FAILURES ?? 3));
  });

  test('objects come back with upstream’s defaults, in upstream’s form', () => {
    const failures: string[] = [];
    let steps = 0;
    for (const { id, steps: all } of casesOf('defaults')) {
      for (const step of all) {
        const definition = resourceAt(step.path);
        if (!definition || step.expect?.code !== 201) continue;
        steps++;
        const wrong = defaultsMismatch(definition, step);
        if (wrong) failures.push(`${id}: ${wrong}`);
      }
    }
    console.log(`defaults: ${steps - failures.length} of ${steps} steps as upstream`);
    if (process.env.GOLDEN_VERBOSE) console.log(failures.join('\n'));
    expect(failures.length).toBeLessThanOrEqual(Number(process.env.GOLDEN_DEFAULTS_FAILURES ?? 2));
  });

  test('tables have upstream’s columns', () => {
    const expected = oracle('table-columns') as Record<string, { name: string; type: string; format: string; priority: number }[]>;
    for (const [path, columns] of Object.entries(expected)) {
      const ours = resourceAt(path)?.table?.columns.map(({ name, type, format, priority }) => ({ name, type, format, priority }));
      expect([path, ours]).toEqual([path, columns]);
    }
  });

  test('rows have upstream’s cells', () => {
    const expected = oracle('table-cells') as Record<string, { object: KubeObject; status?: object; cells: unknown[] }>;
    const failures: string[] = [];
    for (const [id, { object, status, cells }] of Object.entries(expected)) {
      const definition = allGroups
        .flatMap(({ resources }) => resources)
        .find((item) => item.kind === object.kind && targetOf(item).apiVersion === object.apiVersion);
      const full = structuredClone({ ...object, ...(status && { status }) });
      full.metadata.creationTimestamp = '2026-01-02T03:04:05Z';
      if (!definition?.table) throw new Error(`no table for ${id}`);
      const read = codec.decodeValue(targetOf(definition), full).object;
      codec.applyDefaults(definition.type, read);
      const ours = definition.table.cells(codec.normalize(definition.type, read), Date.parse('2026-01-02T03:04:05Z') + 3000);
      const wrong = cellsMismatch(ours, cells);
      if (wrong) failures.push(`${id}: ${wrong}`);
    }
    console.log(`table cells: ${Object.keys(expected).length - failures.length} of ${Object.keys(expected).length} as upstream`);
    if (process.env.GOLDEN_VERBOSE) console.log(failures.join('\n'));
    expect(failures.length).toBeLessThanOrEqual(Number(process.env.GOLDEN_CELLS_FAILURES ?? 14));
  });
});

function typesMismatch(definition: ResourceDefinition, step: Step): string | undefined {
  const validation = new URL(`http://x${step.path}`).searchParams.get('fieldValidation') || 'Warn';
  if (!['Ignore', 'Warn', 'Strict'].includes(validation)) return undefined;
  const expected = step.expect as NonNullable<Step['expect']>;
  let code = 0;
  let message = '';
  let problems: string[] = [];
  try {
    ({ problems } = decodeStep(definition, step));
    if (validation === 'Strict' && problems.length) {
      code = 400;
      message = `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: strict decoding error: ${problems.join(', ')}`;
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    code = error.status.code ?? 0;
    message = error.message;
    problems = (error as { problems?: string[] }).problems ?? [];
  }
  if (expected.code === 400 || code === 400) {
    const wanted = String(expected.body?.message ?? '');
    if (/namespace of the provided|name of the object/.test(wanted)) return undefined;
    return wanted === message ? undefined : `expected ${expected.code} ${wanted}\n  got ${code} ${message}`;
  }
  if (validation !== 'Warn') return undefined;
  const warnings = (expected.warnings ?? []).filter((text) => /^(unknown|duplicate) field/.test(text));
  return JSON.stringify(warnings) === JSON.stringify(problems)
    ? undefined
    : `expected warnings ${warnings.join('; ')}\n  got ${problems.join('; ')}`;
}

/** Paths that are not the types' business: the server's, strategies', admission's or a controller's. */
const NOT_OURS: Record<string, string[]> = {
  '': [
    'metadata.uid',
    'metadata.creationTimestamp',
    'metadata.managedFields',
    'metadata.namespace',
    'metadata.generation',
    'metadata.finalizers',
    'metadata.name',
    'metadata.ownerReferences',
    'metadata.deletionGracePeriodSeconds',
    'metadata.deletionTimestamp',
    'metadata.selfLink',
    'metadata.resourceVersion',
  ],
  Pod: [
    'spec.volumes',
    'spec.tolerations',
    'spec.priority',
    'spec.preemptionPolicy',
    'spec.serviceAccountName',
    'spec.serviceAccount',
    'status.qosClass',
    'status.phase',
    'status.conditions',
    'spec.affinity',
    'spec.topologySpreadConstraints',
    'spec.containers.0.lifecycle',
  ],
  DaemonSet: ['metadata.annotations', 'spec.template.spec.affinity', 'spec.template.spec.topologySpreadConstraints'],
  Deployment: ['status'],
  StatefulSet: ['spec.updateStrategy.rollingUpdate.maxUnavailable'],
  Service: ['spec.clusterIP', 'spec.clusterIPs', 'spec.ipFamilies', 'spec.ipFamilyPolicy', 'spec.healthCheckNodePort', 'status'],
  PersistentVolume: ['status.lastPhaseTransitionTime'],
  PersistentVolumeClaim: ['spec.dataSource', 'spec.dataSourceRef'],
  Namespace: ['metadata.labels', 'spec.finalizers', 'status.phase'],
  Job: ['spec.selector', 'spec.template.metadata', 'metadata.labels'],
  Node: ['spec.taints'],
  CertificateSigningRequest: ['spec.username', 'spec.groups', 'spec.uid', 'spec.extra'],
  CustomResourceDefinition: ['status'],
  APIService: ['status'],
};

function removeServiceAccountMounts(object: Record<string, unknown>): void {
  for (const container of (object.spec as { containers?: { volumeMounts?: { mountPath: string }[] }[] } | undefined)?.containers ?? []) {
    container.volumeMounts = container.volumeMounts?.filter(
      ({ mountPath }) => mountPath !== '/var/run/secrets/kubernetes.io/serviceaccount',
    );
    if (!container.volumeMounts?.length) delete container.volumeMounts;
  }
}

function defaultsMismatch(definition: ResourceDefinition, step: Step): string | undefined {
  const { object } = decodeStep(definition, step);
  codec.applyDefaults(definition.type, object);
  const ours = structuredClone(codec.normalize(definition.type, object)) as Record<string, unknown>;
  const theirs = JSON.parse(JSON.stringify(step.expect?.body).replaceAll('<id>', '{id}').replaceAll('<ns>', '{ns}')) as Record<
    string,
    unknown
  >;
  removeServiceAccountMounts(theirs);
  for (const path of [...(NOT_OURS[''] ?? []), ...(NOT_OURS[definition.kind] ?? [])]) {
    remove(ours, path);
    remove(theirs, path);
  }
  const [a, b] = [JSON.stringify(sorted(ours)), JSON.stringify(sorted(theirs))];
  return a === b ? undefined : differences(sorted(theirs), sorted(ours), '').join('\n   ');
}

function remove(object: unknown, path: string): void {
  const [step, ...rest] = path.split('.');
  if (typeof object !== 'object' || object === null || step === undefined) return;
  if (rest.length) remove((object as Record<string, unknown>)[step], rest.join('.'));
  else delete (object as Record<string, unknown>)[step];
}

function differences(expected: unknown, got: unknown, path: string): string[] {
  if (JSON.stringify(expected) === JSON.stringify(got)) return [];
  const both = typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null;
  if (!both) return [`${path}: expected ${JSON.stringify(expected)?.slice(0, 200)} got ${JSON.stringify(got)?.slice(0, 200)}`];
  const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
  return [...keys].flatMap((key) =>
    differences((expected as Record<string, unknown>)[key], (got as Record<string, unknown>)[key], `${path}.${key}`),
  );
}

function cellsMismatch(ours: unknown[], theirs: unknown[]): string | undefined {
  const same = (a: unknown, b: unknown): boolean => {
    if (a === b) return true;
    if (typeof a !== 'string' || typeof b !== 'string') return false;
    const pattern = b
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('<id>', '(\\{id\\}|<id>)')
      .replaceAll('<age>', '3s|\\d+\\w+')
      .replaceAll('<time>', '2026-01-02T03:04:05Z')
      .replaceAll(':<port>', '(:\\d+)?');
    return b === '0s' || new RegExp(`^(${pattern})$`).test(a);
  };
  if (ours.length === theirs.length && ours.every((cell, index) => same(cell, theirs[index]))) return undefined;
  return `expected ${JSON.stringify(theirs)}\n  got ${JSON.stringify(ours)}`;
}
