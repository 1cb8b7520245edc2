import { type Deployment, type PodTemplateSpec, type ReplicaSet, semanticEqual } from '@kubernel/sdk/api';
import { controllerOf, controllerRef, isAlreadyExists, isNamespaceTerminating } from '@kubernel/sdk/client';
import { newReplicaSetAnnotations, REVISION, replicaAnnotations, revisionOf } from './annotations.ts';
import { templateHash } from './hash.ts';
import { byAge, maxSurgeOf, newReplicaCount, replicasOf } from './replicas.ts';
import { progressDeadlineMs, progressing, type ReplicaSets, setCondition } from './status.ts';
import type { DeploymentWriter } from './writer.ts';

const HASH_LABEL = 'pod-template-hash';

/** The oldest replica set with the Deployment's template is its newest revision; all others are old ones. */
export function splitByTemplate(deployment: Deployment, owned: readonly ReplicaSet[]): ReplicaSets {
  const all = [...owned].sort(byAge);
  const newest = all.find((rs) => sameTemplate(rs.spec.template, deployment.spec.template));
  return { newest, old: all.filter((rs) => rs !== newest), all };
}

function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return semanticEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/**
 * The replica sets with the newest one numbered and annotated as the latest revision, and created when it is missing
 * and may be. Undefined when the name of the new one was taken: the Deployment's collisionCount was raised, and the
 * event of that brings the next try.
 */
export async function newestReplicaSet(
  writer: DeploymentWriter,
  deployment: Deployment,
  owned: readonly ReplicaSet[],
  mayCreate: boolean,
): Promise<{ deployment: Deployment; sets: ReplicaSets } | undefined> {
  const sets = splitByTemplate(deployment, owned);
  const revision = Math.max(0, ...sets.old.map(revisionOf)) + 1;
  if (sets.newest) return adoptRevision(writer, deployment, sets, sets.newest, revision);
  if (!mayCreate) return { deployment, sets };
  return create(writer, deployment, sets, revision);
}

async function adoptRevision(
  writer: DeploymentWriter,
  deployment: Deployment,
  sets: ReplicaSets,
  found: ReplicaSet,
  revision: number,
): Promise<{ deployment: Deployment; sets: ReplicaSets }> {
  let newest = found;
  const annotations = newReplicaSetAnnotations(deployment, newest, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  if (annotations !== newest.metadata.annotations || (newest.spec.minReadySeconds ?? 0) !== minReadySeconds) {
    newest = await writer.updateReplicaSet({
      ...newest,
      metadata: { ...newest.metadata, annotations },
      spec: { ...newest.spec, minReadySeconds },
    });
    sets = { ...sets, newest, all: sets.all.map((rs) => (rs === found ? newest : rs)) };
  }
  let current = await withRevision(writer, deployment, String(revisionOf(newest)));
  if (progressDeadlineMs(current) !== undefined && !progressing(current)) {
    current = await noteProgress(writer, current, 'True', 'FoundNewReplicaSet', `Found new replica set "${newest.metadata.name}"`);
  }
  return { deployment: current, sets };
}

async function create(
  writer: DeploymentWriter,
  deployment: Deployment,
  sets: ReplicaSets,
  revision: number,
): Promise<{ deployment: Deployment; sets: ReplicaSets } | undefined> {
  const replicas = newReplicaCount(deployment, sets.all, 0);
  const wanted = newReplicaSet(deployment, replicas, revision);
  const name = wanted.metadata.name ?? '';
  const hasDeadline = progressDeadlineMs(deployment) !== undefined;
  let newest: ReplicaSet;
  let createdNow = true;
  try {
    newest = await writer.createReplicaSet(wanted);
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (!isAlreadyExists(error)) {
      const why = error instanceof Error ? error.message : String(error);
      if (hasDeadline) await noteProgress(writer, deployment, 'False', 'ReplicaSetCreateError', why);
      writer.event(deployment, 'Warning', 'ReplicaSetCreateError', `Failed to create new replica set "${name}": ${why}`);
      throw error;
    }
    createdNow = false;
    newest = await writer.getReplicaSet(deployment.metadata.namespace ?? '', name);
    const isOurs = controllerOf(newest)?.uid === deployment.metadata.uid && sameTemplate(newest.spec.template, deployment.spec.template);
    if (!isOurs) {
      // Two templates met in one hash: with another collisionCount this one gets another name.
      await writer.writeStatus(deployment, { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 });
      return undefined;
    }
  }
  if (createdNow && replicas > 0)
    writer.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`);
  let current = await withRevision(writer, deployment, String(revision));
  if (createdNow && hasDeadline)
    current = await noteProgress(writer, current, 'True', 'NewReplicaSetCreated', `Created new replica set "${name}"`);
  return { deployment: current, sets: { newest, old: sets.old, all: [...sets.all, newest] } };
}

function newReplicaSet(deployment: Deployment, replicas: number, revision: number): ReplicaSet {
  const { name, namespace } = deployment.metadata;
  const { template, selector } = deployment.spec;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  const desired = replicasOf(deployment);
  const annotations = {
    ...newReplicaSetAnnotations(deployment, { metadata: {} }, revision),
    ...replicaAnnotations(desired, desired + maxSurgeOf(deployment)),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations,
      ownerReferences: [controllerRef(deployment, 'apps/v1', 'Deployment')],
    },
    spec: {
      replicas,
      minReadySeconds: deployment.spec.minReadySeconds ?? 0,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

async function withRevision(writer: DeploymentWriter, deployment: Deployment, revision: string): Promise<Deployment> {
  if (deployment.metadata.annotations?.[REVISION] === revision) return deployment;
  return writer.annotate(deployment, { [REVISION]: revision });
}

function noteProgress(
  writer: DeploymentWriter,
  deployment: Deployment,
  status: 'True' | 'False',
  reason: string,
  message: string,
): Promise<Deployment> {
  const conditions = setCondition(deployment.status?.conditions ?? [], 'Progressing', status, reason, message, Date.now());
  return writer.writeStatus(deployment, { ...deployment.status, conditions });
}
