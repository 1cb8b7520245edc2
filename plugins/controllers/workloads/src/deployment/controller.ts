import { definePlugin } from '@kubernel/sdk';
import { type Deployment, type DeploymentStatus, type Pod, type ReplicaSet, selectorOf } from '@kubernel/sdk/api';
import { claimObjects, controllerOf, controllerParts, DEPLOYMENTS, isNotFound, objectKey, PODS, REPLICA_SETS } from '@kubernel/sdk/client';
import { desiredReplicasOf, hasReplicaAnnotations, replicaAnnotations, revisionOf } from './annotations.ts';
import { newestReplicaSet, splitByTemplate } from './newest.ts';
import {
  active,
  availableReplicas,
  byAge,
  isRolling,
  maxSurgeOf,
  newReplicaCount,
  proportionalSizes,
  replicasOf,
  rollingLimits,
  totalReplicas,
} from './replicas.ts';
import {
  countedStatus,
  isComplete,
  progressDeadlineMs,
  progressing,
  type ReplicaSets,
  rolloutStatus,
  sameStatus,
  setCondition,
  stuckInMs,
} from './status.ts';
import { DeploymentWriter } from './writer.ts';

/** Rolls out what a Deployment asks for (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/). */
export const deploymentController = definePlugin('controller/v1', 'deployment', {
  start(ctx) {
    const parts = controllerParts(ctx, 'deployment-controller');
    const { client } = parts;
    const deployments = parts.informers.get<Deployment>(DEPLOYMENTS, { indexes: { namespace: (d) => [d.metadata.namespace ?? ''] } });
    const replicaSets = parts.informers.get<ReplicaSet>(REPLICA_SETS, {
      indexes: {
        controller: (rs) => [controllerOf(rs)?.uid ?? ''],
        orphans: (rs) => (controllerOf(rs) ? [] : [rs.metadata.namespace ?? '']),
      },
    });
    const writer = new DeploymentWriter(client, parts.events);
    const reconciler = parts.reconciler('deployment', sync, { workers: 10 });
    reconciler.watch(deployments);
    reconciler.watch(replicaSets, ownerKeys);
    return parts.run(reconciler);

    function* ownerKeys(rs: ReplicaSet): Iterable<string> {
      const owner = controllerOf(rs);
      const namespace = rs.metadata.namespace ?? '';
      if (owner) {
        if (owner.kind === 'Deployment') yield `${namespace}/${owner.name}`;
        return;
      }
      for (const d of deployments.byIndex('namespace', namespace))
        if (selectorOf(d.spec.selector).matches(rs.metadata.labels)) yield objectKey(d);
    }

    /** Reads like the life of a rollout. Each step changes one thing; the event of that change brings the next sync. */
    async function sync(key: string): Promise<{ requeueAfterMs?: number } | undefined> {
      const known = deployments.get(key);
      if (!known) return undefined;
      let deployment = writer.latest(known);
      if (selectorOf(deployment.spec.selector).empty) {
        parts.events.event(
          deployment,
          'Warning',
          'SelectingAll',
          'This deployment is selecting all pods. A non-empty selector is required.',
        );
        return undefined;
      }
      const owned = await claim(deployment);
      if (deployment.metadata.deletionTimestamp)
        return finish(deployment, countedStatus(deployment, splitByTemplate(deployment, owned), Date.now()));

      deployment = await notePause(deployment);
      const mayCreate = !deployment.spec.paused && !isScaling(deployment, owned) && isRolling(deployment);
      const found = await newestReplicaSet(writer, deployment, owned, mayCreate);
      if (!found) return undefined;
      deployment = found.deployment;
      // Recreate scales as it rolls out; between two revisions there is no proportion to keep, so scaling first would never end.
      if (deployment.spec.paused || (isRolling(deployment) && isScaling(deployment, owned))) return scale(deployment, found.sets);
      return isRolling(deployment) ? roll(deployment, found.sets) : recreate(deployment, found.sets);
    }

    async function claim(deployment: Deployment): Promise<ReplicaSet[]> {
      const { namespace = '', name = '', uid = '' } = deployment.metadata;
      const mine = replicaSets.byIndex('controller', uid);
      const orphans = replicaSets.byIndex('orphans', namespace);
      const owned = await claimObjects<ReplicaSet>({
        client,
        resource: REPLICA_SETS,
        owner: deployment,
        ownerApiVersion: 'apps/v1',
        ownerKind: 'Deployment',
        selector: selectorOf(deployment.spec.selector),
        candidates: orphans.length === 0 ? mine : [...mine, ...orphans],
        freshOwner: () => client.get<Deployment>(DEPLOYMENTS, name, { namespace }),
      });
      return owned.map((rs) => writer.latestSet(rs));
    }

    // ------------------------------------------------------------------------------------------ strategies

    async function roll(deployment: Deployment, sets: ReplicaSets): Promise<{ requeueAfterMs?: number } | undefined> {
      const { newest } = sets;
      if (newest) {
        const wanted = replicasOf(deployment);
        const size = replicasOf(newest) > wanted ? wanted : newReplicaCount(deployment, sets.all, replicasOf(newest));
        if (!(await resize(deployment, sets, newest, size))) await shrinkOld(deployment, sets, newest);
      }
      return report(deployment, sets);
    }

    async function recreate(deployment: Deployment, sets: ReplicaSets): Promise<{ requeueAfterMs?: number } | undefined> {
      const outdated = active(sets.old);
      if (outdated.length > 0) {
        await Promise.all(outdated.map((rs) => resize(deployment, sets, rs, 0)));
        return report(deployment, sets);
      }
      if (await oldPodsLeft(deployment, sets)) {
        const again = await report(deployment, sets);
        // Replica sets tell when their last pod is gone; another author's controller may not.
        return { requeueAfterMs: Math.min(1000, again?.requeueAfterMs ?? 1000) };
      }
      const found = await newestReplicaSet(writer, deployment, sets.all, true);
      if (!found?.sets.newest) return undefined;
      await resize(found.deployment, found.sets, found.sets.newest, replicasOf(deployment));
      return report(found.deployment, found.sets);
    }

    async function scale(deployment: Deployment, sets: ReplicaSets): Promise<{ requeueAfterMs?: number } | undefined> {
      const wanted = replicasOf(deployment);
      const running = active(sets.all);
      const only = running.length === 1 ? running[0] : running.length === 0 ? (sets.newest ?? [...sets.old].sort(byAge).at(-1)) : undefined;
      if (only) {
        await resize(deployment, sets, only, wanted);
      } else if (sets.newest && isSaturated(deployment, sets.newest)) {
        await Promise.all(active(sets.old).map((rs) => resize(deployment, sets, rs, 0)));
      } else if (isRolling(deployment) && running.length > 1) {
        await Promise.all([...proportionalSizes(deployment, running)].map(([rs, size]) => resize(deployment, sets, rs, size)));
      }
      if (deployment.spec.paused) await dropOldRevisions(deployment, sets.old);
      return finish(deployment, countedStatus(deployment, sets, Date.now()));
    }

    /** Takes away as many old pods as availability allows: first those that do not work anyway. */
    async function shrinkOld(deployment: Deployment, sets: ReplicaSets, newest: ReplicaSet): Promise<void> {
      const old = active(sets.old).sort(byAge);
      if (old.length === 0) return;
      const minAvailable = replicasOf(deployment) - rollingLimits(deployment).maxUnavailable;
      const newUnavailable = replicasOf(newest) - (newest.status?.availableReplicas ?? 0);
      let removable = totalReplicas(sets.all) - minAvailable - newUnavailable;
      if (removable <= 0) return;
      const sizes = new Map(old.map((rs) => [rs, replicasOf(rs)]));
      for (const rs of old) {
        const size = replicasOf(rs);
        const broken = Math.min(removable, size - (rs.status?.availableReplicas ?? 0));
        if (broken <= 0) continue;
        sizes.set(rs, size - broken);
        removable -= broken;
      }
      let spare = availableReplicas(sets.all) - minAvailable;
      for (const rs of old) {
        const size = sizes.get(rs) ?? 0;
        const fewer = Math.min(size, spare);
        if (fewer <= 0) continue;
        sizes.set(rs, size - fewer);
        spare -= fewer;
      }
      await Promise.all([...sizes].map(([rs, size]) => resize(deployment, sets, rs, size)));
    }

    /** Upstream's own replica sets count terminating pods; those of other controllers are counted here. */
    async function oldPodsLeft(deployment: Deployment, sets: ReplicaSets): Promise<boolean> {
      if (
        sets.old.some(
          ({ status = {}, metadata }) =>
            (status.replicas ?? 0) + (status.terminatingReplicas ?? 0) > 0 || (status.observedGeneration ?? 0) < (metadata.generation ?? 0),
        )
      ) {
        return true;
      }
      if (sets.old.length === 0) return false;
      const { namespace = '' } = deployment.metadata;
      const pods = await client.list<Pod>(PODS, { namespace, labelSelector: selectorOf(deployment.spec.selector).toString() });
      const oldUids = new Set(sets.old.map((rs) => rs.metadata.uid));
      return pods.items.some(
        (pod) => oldUids.has(controllerOf(pod)?.uid) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
      );
    }

    // ------------------------------------------------------------------------------------------ steps

    /** Sets a replica set's size and the annotations that go with it, in place in `sets`. True when the size changed. */
    async function resize(deployment: Deployment, sets: ReplicaSets, rs: ReplicaSet, size: number): Promise<boolean> {
      const desired = replicasOf(deployment);
      const max = desired + maxSurgeOf(deployment);
      const before = replicasOf(rs);
      if (before === size && hasReplicaAnnotations(rs, desired, max)) return false;
      const annotations = { ...rs.metadata.annotations, ...replicaAnnotations(desired, max) };
      const updated = await writer.updateReplicaSet({
        ...rs,
        metadata: { ...rs.metadata, annotations },
        spec: { ...rs.spec, replicas: size },
      });
      if (sets.newest === rs) sets.newest = updated;
      for (const list of [sets.old, sets.all]) if (list.includes(rs)) list[list.indexOf(rs)] = updated;
      if (before === size) return false;
      const direction = size > before ? 'up' : 'down';
      writer.event(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${direction} replica set ${rs.metadata.name} from ${before} to ${size}`,
      );
      return true;
    }

    /** Writes how the rollout gets on; once it is done, old revisions beyond the limit go. */
    async function report(deployment: Deployment, sets: ReplicaSets): Promise<{ requeueAfterMs?: number } | undefined> {
      const status = rolloutStatus(deployment, sets, Date.now());
      if (isComplete(deployment, status)) await dropOldRevisions(deployment, sets.old);
      return finish(deployment, status);
    }

    async function finish(deployment: Deployment, status: DeploymentStatus): Promise<{ requeueAfterMs?: number } | undefined> {
      const requeueAfterMs = deployment.spec.paused ? undefined : stuckInMs(deployment, status, Date.now());
      if (!sameStatus(deployment.status, status)) await writer.writeStatus(deployment, status);
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    }

    /** While it is paused the deadline stands still: the Progressing condition says so. */
    async function notePause(deployment: Deployment): Promise<Deployment> {
      if (progressDeadlineMs(deployment) === undefined) return deployment;
      const condition = progressing(deployment);
      if (condition?.reason === 'ProgressDeadlineExceeded') return deployment;
      const noted = condition?.reason === 'DeploymentPaused';
      const paused = deployment.spec.paused ?? false;
      if (paused === noted) return deployment;
      const [reason, message] = paused ? ['DeploymentPaused', 'Deployment is paused'] : ['DeploymentResumed', 'Deployment is resumed'];
      const conditions = setCondition(
        deployment.status?.conditions ?? [],
        'Progressing',
        'Unknown',
        reason as string,
        message as string,
        Date.now(),
      );
      return writer.writeStatus(deployment, { ...deployment.status, conditions });
    }

    async function dropOldRevisions(deployment: Deployment, old: readonly ReplicaSet[]): Promise<void> {
      const limit = deployment.spec.revisionHistoryLimit;
      if (limit === undefined || old.length <= limit) return;
      const alive = old.filter((rs) => !rs.metadata.deletionTimestamp).sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b));
      const surplus = alive.slice(0, Math.max(0, alive.length - limit));
      const idle = surplus.filter(
        ({ spec, status = {}, metadata }) =>
          (status.replicas ?? 0) === 0 && spec.replicas === 0 && (metadata.generation ?? 0) <= (status.observedGeneration ?? 0),
      );
      await Promise.all(
        idle.map(async ({ metadata: { name = '', namespace = '', uid = '' } }) => {
          try {
            await client.delete(REPLICA_SETS, name, { namespace, preconditions: { uid } });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }),
      );
    }
  },
});

/** The number of replicas was changed since the replica sets were last scaled. */
function isScaling(deployment: Deployment, owned: readonly ReplicaSet[]): boolean {
  return active(owned).some((rs) => {
    const desired = desiredReplicasOf(rs);
    return desired !== undefined && desired !== replicasOf(deployment);
  });
}

function isSaturated(deployment: Deployment, rs: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return desiredReplicasOf(rs) === wanted && replicasOf(rs) === wanted && rs.status?.availableReplicas === wanted;
}
