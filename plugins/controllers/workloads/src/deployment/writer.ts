import type { Deployment, DeploymentStatus, ReplicaSet } from '@kubernel/sdk/api';
import { type Client, DEPLOYMENTS, type EventRecorder, OwnWrites, REPLICA_SETS } from '@kubernel/sdk/client';

/** The API as the deployment controller writes to it. What was written is remembered until the informers bring it back. */
export class DeploymentWriter {
  readonly #client: Client;
  readonly #events: EventRecorder;
  readonly #deployments = new OwnWrites<Deployment>();
  readonly #replicaSets = new OwnWrites<ReplicaSet>();

  constructor(client: Client, events: EventRecorder) {
    this.#client = client;
    this.#events = events;
  }

  latest(deployment: Deployment): Deployment {
    return this.#deployments.latest(deployment);
  }

  latestSet(replicaSet: ReplicaSet): ReplicaSet {
    return this.#replicaSets.latest(replicaSet);
  }

  async createReplicaSet(replicaSet: ReplicaSet): Promise<ReplicaSet> {
    return this.#replicaSets.note(await this.#client.create(REPLICA_SETS, replicaSet));
  }

  getReplicaSet(namespace: string, name: string): Promise<ReplicaSet> {
    return this.#client.get<ReplicaSet>(REPLICA_SETS, name, { namespace });
  }

  async updateReplicaSet(replicaSet: ReplicaSet): Promise<ReplicaSet> {
    try {
      return this.#replicaSets.note(await this.#client.update(REPLICA_SETS, replicaSet));
    } catch (error) {
      this.#replicaSets.forget(replicaSet);
      throw error;
    }
  }

  async annotate(deployment: Deployment, annotations: Record<string, string>): Promise<Deployment> {
    const { namespace = '', name = '', uid } = deployment.metadata;
    const patch = { metadata: { uid, annotations } };
    return this.#deployments.note(await this.#client.patch<Deployment>(DEPLOYMENTS, name, { type: 'merge', patch }, { namespace }));
  }

  async writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<Deployment> {
    try {
      return this.#deployments.note(await this.#client.update(DEPLOYMENTS, { ...deployment, status }, { subresource: 'status' }));
    } catch (error) {
      this.#deployments.forget(deployment);
      throw error;
    }
  }

  event(deployment: Deployment, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#events.event(deployment, type, reason, message);
  }
}
