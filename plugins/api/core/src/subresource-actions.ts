import { randomUUID } from 'node:crypto';
import type { SubresourceAction, SubresourceRequest, TokenService } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { KubeObject, LabelSelector } from '@kubernel/sdk/api';
import { FieldErrors, FieldPath, selectorOf } from '@kubernel/sdk/api';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as unknown as KubeObject;

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}
interface Pod extends KubeObject {
  spec: { nodeName?: string; schedulingGates?: object[] };
  status?: { phase?: string; conditions?: PodCondition[] };
}
interface PodCondition {
  type: string;
  status: string;
  lastProbeTime?: string | null;
  lastTransitionTime?: string | null;
}

/** Assigns a pod to a node (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/). */
const bindPod: SubresourceAction = async (request) => {
  const binding = request.body as Binding;
  const { metadata, target = {} } = binding;
  if (metadata.name && metadata.name !== request.name) throw badRequest('name in URL does not match name in Binding object');
  const errors = new FieldErrors();
  const path = FieldPath.of('target');
  if (target.kind && target.kind !== 'Node') errors.notSupported(path.child('kind'), target.kind, ['Node', '<empty>']);
  if (!target.name) errors.required(path.child('name'));
  if (!errors.empty) throw errors.toStatusError('Binding', '', metadata.name ?? request.name);
  await request.updateObject((object) => {
    const pod = object as Pod;
    checkPreconditions(pod, metadata.uid, metadata.resourceVersion);
    const refusal = bindRefusal(pod);
    if (refusal) throw conflict('pods/binding', pod.metadata.name ?? '', refusal);
    pod.spec.nodeName = target.name ?? '';
    if (metadata.annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...metadata.annotations };
    if (metadata.labels) pod.metadata.labels = { ...pod.metadata.labels, ...metadata.labels };
    setScheduled(pod);
  });
  return SUCCESS;
};

function bindRefusal({ metadata, spec }: Pod): string | undefined {
  if (metadata.deletionTimestamp) return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
  if (spec.nodeName) return `pod ${metadata.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`;
  if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
  return undefined;
}

function setScheduled(pod: Pod): void {
  pod.status ??= {};
  pod.status.conditions ??= [];
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const known = pod.status.conditions.find(({ type }) => type === 'PodScheduled');
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: known?.status === 'True' ? known.lastTransitionTime : now,
  };
  if (known) pod.status.conditions[pod.status.conditions.indexOf(known)] = condition;
  else pod.status.conditions.push(condition);
}

function checkPreconditions({ metadata }: Pod, uid: string | undefined, resourceVersion: string | undefined): void {
  const storage = (detail: string): StatusError =>
    conflict(
      'pods',
      metadata.name ?? '',
      `StorageError: invalid object, Code: 4, Key: /registry/pods/${metadata.namespace}/${metadata.name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${detail}`,
    );
  if (uid && uid !== metadata.uid) throw storage(`UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw storage(`ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`);
  }
}

interface DisruptionBudget extends KubeObject {
  spec: { selector?: LabelSelector | null; unhealthyPodEvictionPolicy?: string };
  status: {
    observedGeneration?: number;
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    disruptedPods?: Record<string, string>;
  };
}

const MAX_DISRUPTED_PODS = 2_000;

/** Deletes a pod if its disruption budget has room (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/). */
const evict: SubresourceAction = async (request) => {
  const { body, object, name } = request;
  if (body.metadata.name && body.metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object');
  const pod = object as Pod;
  const options = { ...(body.deleteOptions as Record<string, unknown> | undefined) };
  const dryRun = request.dryRun || (Array.isArray(options.dryRun) && options.dryRun.length > 0);
  if (dryRun) options.dryRun = ['All'];
  // a dry run that only the body asks for deletes nothing; the server knows of the one in the query
  const remove = async (): Promise<void> => {
    if (request.dryRun || !dryRun) await request.deleteObject(options);
  };
  if (!hasStarted(pod)) {
    await remove();
    return SUCCESS;
  }
  const budgets = request.reader
    .list<DisruptionBudget>('policy', 'poddisruptionbudgets', request.namespace)
    .filter((budget) => covers(budget, pod));
  if (budgets.length > 1) {
    throw StatusError.from({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      code: 500,
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
  }
  const [budget] = budgets;
  if (budget && !mayIgnore(budget, pod)) await countDown(request, budget, dryRun);
  await remove();
  return SUCCESS;
};

/** Pods that run nothing are not protected. */
const hasStarted = ({ metadata, status }: Pod): boolean =>
  !metadata.deletionTimestamp && !['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '');

function covers({ spec }: DisruptionBudget, pod: Pod): boolean {
  return spec.selector ? selectorOf(spec.selector).matches(pod.metadata.labels ?? {}) : false;
}

/** An unhealthy pod may go where the budget says so, or where enough healthy ones remain. */
function mayIgnore({ spec, status }: DisruptionBudget, pod: Pod): boolean {
  if (pod.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy;
}

async function countDown(request: SubresourceRequest, budget: DisruptionBudget, dryRun: boolean): Promise<void> {
  const budgetName = budget.metadata.name ?? '';
  if (dryRun) return checkBudget(budget);
  await request.updateRelated('policy', 'poddisruptionbudgets/status', budgetName, (object) => {
    const current = object as DisruptionBudget;
    checkBudget(current);
    current.status.disruptionsAllowed--;
    // the disruption controller takes the pod out again once it is gone
    current.status.disruptedPods = { ...current.status.disruptedPods, [request.name]: `${new Date().toISOString().slice(0, 19)}Z` };
  });
}

function checkBudget({ metadata, status }: DisruptionBudget): void {
  const name = metadata.name ?? '';
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (status.disruptionsAllowed < 0) throw forbidden(name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS)
    throw forbidden(name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (status.disruptionsAllowed === 0) {
    throw tooMany(
      `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
      0,
    );
  }
}

function tooMany(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds && { retryAfterSeconds }),
  });
}

function forbidden(name: string, why: string): StatusError {
  return new StatusError(403, 'Forbidden', `poddisruptionbudgets.policy ${JSON.stringify(name)} is forbidden: ${why}`, {
    name,
    group: 'policy',
    kind: 'poddisruptionbudgets',
  });
}

/** A bound token for a service account (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/). */
const requestToken: SubresourceAction = async (request) => {
  const issued = await request.service<TokenService>('tokens').issue(request.object, request.body);
  const creationTimestamp = `${new Date().toISOString().slice(0, 19)}Z`;
  return { ...issued, metadata: { uid: randomUUID(), creationTimestamp, ...issued.metadata } };
};

export const subresourceActions = { bindPod, evict, requestToken };

function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

function conflict(kind: string, name: string, why: string): StatusError {
  return new StatusError(409, 'Conflict', `Operation cannot be fulfilled on ${kind} ${JSON.stringify(name)}: ${why}`, { name, kind });
}
