import type { Subresource } from '@kubernel/sdk';
import { FieldErrors, FieldPath, type KubeObject } from '@kubernel/sdk/api';
import { type Api, timestamp } from './api.ts';
import type { Call, Result } from './call.ts';
import { bodyText, checkName, checkNamespace, decodeBody, mediaType } from './decode-body.ts';
import { keyOf, type Resource } from './registry.ts';
import { notFound } from './status.ts';
import { change, currentObject } from './verbs/change.ts';
import { managerOf, settlePatchProblems, settleProblems, type WriteOptions, writeOptions } from './write-options.ts';

type ScaleSubresource = Extract<Subresource, { type: 'scale' }>;

const SCALE = { type: 'autoscaling.v1.Scale', apiVersion: 'autoscaling/v1', kind: 'Scale' };

/** autoscaling/v1 Scale: the replicas of anything that has some, by paths into the object. */
export async function scale(api: Api, call: Call, resource: Resource, paths: ScaleSubresource): Promise<Result> {
  const { info, method } = call;
  await api.cache.fresh();
  const entry = resource.cache.entries.get(keyOf(resource, info.namespace, info.name));
  if (!entry) throw notFound(resource.group, resource.plural, info.name);
  if (method === 'GET') return answer(scaleOf(currentObject(resource, entry), paths));
  const options = writeOptions(call, method === 'PUT' ? 'UpdateOptions' : 'PatchOptions');
  const manager = managerOf(options, call);
  const put = method === 'PUT' ? decodeBody(api, call, SCALE) : undefined;
  if (put) {
    settleProblems(put.problems, options, call, SCALE);
    checkName(put.object, info.name);
    checkNamespace(put.object, resource.namespaced, info.namespace);
  }
  const { object } = await change(api, call, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: 'scale',
    strategy: resource.strategy,
    options,
    direct: true,
    uidPrecondition: true,
    retry: put ? !put.object.metadata.resourceVersion : true,
    next(current, copy) {
      const wanted = put ? put.object : patchedScale(api, call, scaleOf(current, paths), options);
      const replicas = (wanted.spec as { replicas?: number } | undefined)?.replicas ?? 0;
      // Custom resources have the rule among their own.
      if (!resource.definition.custom) validate(info.name, replicas);
      const next = copy();
      write(next, paths.specReplicasPath, replicas);
      const { resourceVersion, uid } = wanted.metadata;
      if (resourceVersion) next.metadata.resourceVersion = resourceVersion;
      if (uid) next.metadata.uid = uid;
      api.patcher.track({ resource, subresource: 'scale', old: current, object: next, manager, time: timestamp() });
      forgetTime(next, manager);
      return next;
    },
  });
  return answer(scaleOf(object, paths, object.metadata.resourceVersion));
}

function patchedScale(api: Api, call: Call, live: KubeObject, options: WriteOptions): KubeObject {
  const media = mediaType(call.contentType);
  const kind = media === 'application/json-patch+json' ? 'json' : media === 'application/merge-patch+json' ? 'merge' : 'strategic';
  const resource = { ...SCALE, plural: 'scales' } as unknown as Resource;
  const request = { kind, resource, live, text: bodyText(call) } as const;
  const { value, problems } = api.patcher.patch(request);
  const decoded = api.codec.decodeValue(SCALE, value);
  const found = [...problems, ...decoded.problems];
  if (found.length > 0 && options.fieldValidation === 'Strict') throw api.patcher.strictError(request, value, found);
  settlePatchProblems(found, options, call);
  return decoded.object;
}

/** Upstream hands the entry over through a Scale, on which way its time is lost. */
function forgetTime({ metadata }: KubeObject, manager: string): void {
  for (const entry of metadata.managedFields ?? []) if (entry.subresource === 'scale' && entry.manager === manager) delete entry.time;
}

function validate(name: string, replicas: number): void {
  if (replicas >= 0) return;
  const errors = new FieldErrors();
  errors.invalid(FieldPath.of('spec', 'replicas'), replicas, 'must be greater than or equal to 0');
  throw errors.toStatusError('Scale', 'autoscaling', name);
}

function scaleOf(object: KubeObject, paths: ScaleSubresource, revision = object.metadata.resourceVersion): KubeObject {
  const { name, namespace, uid, creationTimestamp } = object.metadata;
  const replicas = read(object, paths.specReplicasPath) ?? 0;
  const selector = paths.labelSelector(object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, ...(revision ? { resourceVersion: revision } : {}), creationTimestamp },
    spec: replicas ? { replicas } : {},
    status: { replicas: read(object, paths.statusReplicasPath) ?? 0, ...(selector ? { selector } : {}) },
  };
}

function answer(object: KubeObject): Result {
  return { type: 'object', code: 200, text: JSON.stringify(object) };
}

/** `.spec.replicas` */
function steps(path: string): string[] {
  return path.split('.').filter((step) => step !== '');
}

function read(object: KubeObject, path: string): number | undefined {
  let at: unknown = object;
  for (const step of steps(path)) at = (at as Record<string, unknown> | undefined)?.[step];
  return at as number | undefined;
}

function write(object: KubeObject, path: string, value: number): void {
  const all = steps(path);
  let at = object as Record<string, unknown>;
  for (const step of all.slice(0, -1)) {
    at[step] ??= {};
    at = at[step] as Record<string, unknown>;
  }
  at[all.at(-1) as string] = value;
}
