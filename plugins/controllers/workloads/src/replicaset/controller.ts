import { definePlugin } from '@kubernel/sdk';
import { type ReplicaSet, selectorOf } from '@kubernel/sdk/api';
import {
  claimObjects,
  controllerOf,
  controllerParts,
  Expectations,
  isConflict,
  isNamespaceTerminating,
  isNotFound,
  OwnWrites,
  objectKey,
  PODS,
  REPLICA_SETS,
} from '@kubernel/sdk/client';
import { inGrowingBatches } from './batches.ts';
import { isActive, type LeanPod, leanPod, POD_INDEXES, podFromTemplate, podsToDelete } from './pods.ts';
import { nextAvailableInMs, replicaSetStatus, sameStatus } from './status.ts';

/** At most so many pods are created or deleted in one sync of one replica set. */
const BURST = 500;

/** Keeps as many pods as a ReplicaSet asks for (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/). */
export const replicaSetController = definePlugin('controller/v1', 'replicaset', {
  start(ctx) {
    const parts = controllerParts(ctx, 'replicaset-controller');
    const { client, events } = parts;
    const replicaSets = parts.informers.get<ReplicaSet>(REPLICA_SETS, {
      indexes: { owner: (rs) => [controllerOf(rs)?.uid ?? ''], namespace: (rs) => [rs.metadata.namespace ?? ''] },
    });
    const pods = parts.informers.get<LeanPod>(PODS, { indexes: POD_INDEXES, transform: leanPod });
    const expectations = new Expectations();
    const written = new OwnWrites<ReplicaSet>();
    const reconciler = parts.reconciler('replicaset', sync, { workers: 10 });

    reconciler.watch(replicaSets);
    replicaSets.on({ delete: (rs) => expectations.forget(objectKey(rs)) });
    pods.on({
      add: (pod) => {
        const key = ownerKey(pod);
        // A pod that was being deleted when we came here is not one that we are waiting for.
        if (key && !pod.metadata.deletionTimestamp) expectations.creationSeen(key);
        enqueueOwners(pod, key);
      },
      update: (pod, old) => {
        const [key, oldKey] = [ownerKey(pod), ownerKey(old)];
        if (pod.metadata.deletionTimestamp && key) expectations.deletionSeen(key, pod.metadata.uid ?? '');
        if (oldKey && oldKey !== key) reconciler.enqueue(oldKey);
        enqueueOwners(pod, key);
      },
      delete: (pod) => {
        const key = ownerKey(pod);
        if (key) expectations.deletionSeen(key, pod.metadata.uid ?? '');
        enqueueOwners(pod, key);
      },
    });
    return parts.run(reconciler);

    /** The key of the replica set that controls the pod, when there is one of that uid. */
    function ownerKey(pod: LeanPod): string | undefined {
      const owner = controllerOf(pod);
      if (owner?.kind !== 'ReplicaSet') return undefined;
      const key = `${pod.metadata.namespace}/${owner.name}`;
      return replicaSets.get(key)?.metadata.uid === owner.uid ? key : undefined;
    }

    /** Its controller, or, of an orphan, every replica set that might adopt it. */
    function enqueueOwners(pod: LeanPod, key: string | undefined): void {
      if (key) return reconciler.enqueue(key);
      if (controllerOf(pod) || pod.metadata.deletionTimestamp) return;
      for (const rs of replicaSets.byIndex('namespace', pod.metadata.namespace ?? '')) {
        if (selectorOf(rs.spec.selector).matches(pod.metadata.labels)) reconciler.enqueue(objectKey(rs));
      }
    }

    async function sync(key: string): Promise<{ requeueAfterMs?: number } | undefined> {
      const known = replicaSets.get(key);
      if (!known) return undefined;
      const replicaSet = written.latest(known);
      const mayAct = expectations.satisfied(key);
      const owned = await claim(replicaSet);
      const failure = mayAct && !replicaSet.metadata.deletionTimestamp ? await manage(key, replicaSet, owned.filter(isActive)) : undefined;
      const now = Date.now();
      await writeStatus(replicaSet, owned, failure, now);
      if (failure) throw failure.error;
      const requeueAfterMs = nextAvailableInMs(replicaSet, owned, now);
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    }

    function claim(replicaSet: ReplicaSet): Promise<LeanPod[]> {
      const { namespace = '', name = '', uid = '' } = replicaSet.metadata;
      const mine = pods.byIndex('controller', uid);
      const orphans = pods.byIndex('orphans', namespace);
      return claimObjects<LeanPod>({
        client,
        resource: PODS,
        owner: replicaSet,
        ownerApiVersion: 'apps/v1',
        ownerKind: 'ReplicaSet',
        selector: selectorOf(replicaSet.spec.selector),
        candidates: orphans.length === 0 ? mine : [...mine, ...orphans],
        adoptable: isActive,
        freshOwner: () => client.get<ReplicaSet>(REPLICA_SETS, name, { namespace }),
      });
    }

    async function manage(key: string, replicaSet: ReplicaSet, active: LeanPod[]): Promise<Failure | undefined> {
      const missing = (replicaSet.spec.replicas ?? 1) - active.length;
      if (missing > 0) return create(key, replicaSet, Math.min(missing, BURST));
      if (missing < 0) return remove(key, replicaSet, active, Math.min(-missing, BURST));
      return undefined;
    }

    async function create(key: string, replicaSet: ReplicaSet, count: number): Promise<Failure | undefined> {
      const { namespace = '' } = replicaSet.metadata;
      const pod = podFromTemplate(replicaSet);
      expectations.expectCreations(key, count);
      const { done, error } = await inGrowingBatches(count, async () => {
        try {
          const created = await client.create(PODS, pod, { namespace });
          events.event(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
        } catch (failure) {
          expectations.creationSeen(key);
          if (!isNamespaceTerminating(failure)) events.event(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${text(failure)}`);
          throw failure;
        }
      });
      // The batches after a failed one were never tried.
      expectations.creationSeen(key, count - done);
      return error === undefined || isNamespaceTerminating(error) ? undefined : { reason: 'FailedCreate', message: text(error), error };
    }

    async function remove(key: string, replicaSet: ReplicaSet, active: LeanPod[], count: number): Promise<Failure | undefined> {
      const victims = podsToDelete(active, count, relatedPods(replicaSet), Date.now());
      expectations.expectDeletions(
        key,
        victims.map((pod) => pod.metadata.uid ?? ''),
      );
      const outcomes = await Promise.allSettled(victims.map((pod) => removeOne(key, replicaSet, pod)));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      return failed ? { reason: 'FailedDelete', message: text(failed.reason), error: failed.reason } : undefined;
    }

    async function removeOne(key: string, replicaSet: ReplicaSet, pod: LeanPod): Promise<void> {
      const { name = '', namespace = '', uid = '' } = pod.metadata;
      try {
        await client.delete(PODS, name, { namespace, preconditions: { uid } });
        events.event(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      } catch (failure) {
        expectations.deletionSeen(key, uid);
        // Gone already, or another one of that name: either way there is nothing to delete.
        if (isNotFound(failure) || isConflict(failure)) return;
        events.event(replicaSet, 'Warning', 'FailedDelete', `Error deleting: ${text(failure)}`);
        throw failure;
      }
    }

    /** The pods of all replica sets that one Deployment owns, this one's included. */
    function relatedPods(replicaSet: ReplicaSet): LeanPod[] {
      const owner = controllerOf(replicaSet)?.uid;
      const family = owner ? replicaSets.byIndex('owner', owner) : [replicaSet];
      return family.flatMap((member) => [...pods.byIndex('controller', member.metadata.uid ?? '')]);
    }

    async function writeStatus(replicaSet: ReplicaSet, owned: LeanPod[], failure: Failure | undefined, now: number): Promise<void> {
      const { namespace = '', name = '' } = replicaSet.metadata;
      const status = replicaSetStatus(replicaSet, owned, failure && { reason: failure.reason, message: failure.message }, now);
      if (sameStatus(replicaSet.status, status)) return;
      try {
        written.note(await client.update(REPLICA_SETS, { ...replicaSet, status }, { namespace, name, subresource: 'status' }));
      } catch (error) {
        written.forget(replicaSet);
        if (!isNotFound(error)) throw error;
      }
    }
  },
});

interface Failure {
  reason: 'FailedCreate' | 'FailedDelete';
  message: string;
  error: unknown;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
