import type { KubeObject, Pod } from '@kubernel/sdk/api';
import { type Client, SERVICE_ACCOUNTS } from '@kubernel/sdk/client';
import { uidOf } from './pod-fields.ts';

interface TokenRequest extends KubeObject {
  spec: { audiences: string[]; expirationSeconds: number; boundObjectRef: { apiVersion: string; kind: string; name: string; uid: string } };
  status?: { token: string; expirationTimestamp: string };
}

interface Held {
  token: string;
  /** Milliseconds since 1970. */
  refreshAt: number;
}

const MAX_AGE_MS = 24 * 3_600_000;

/**
 * Service account tokens bound to pods (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken):
 * renewed when 80% of their time is over, or after a day.
 */
export class PodTokens {
  readonly #client: Client;
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(client: Client) {
    this.#client = client;
  }

  async get(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const uid = uidOf(pod);
    let ofPod = this.#held.get(uid);
    if (!ofPod) this.#held.set(uid, (ofPod = new Map()));
    const key = `${audience ?? ''}|${expirationSeconds}`;
    const held = ofPod.get(key);
    if (held && Date.now() < held.refreshAt) return held.token;
    try {
      const fresh = await this.#request(pod, audience, expirationSeconds);
      ofPod.set(key, fresh);
      return fresh.token;
    } catch (error) {
      // The old one is good for another fifth of its time.
      if (held) return held.token;
      throw error;
    }
  }

  forget(uid: string): void {
    this.#held.delete(uid);
  }

  async #request(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<Held> {
    const now = Date.now();
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name ?? '', uid: uidOf(pod) },
      },
    };
    const answer = await this.#client.create(SERVICE_ACCOUNTS, request, {
      ...(pod.metadata.namespace ? { namespace: pod.metadata.namespace } : {}),
      name: pod.spec.serviceAccountName || 'default',
      subresource: 'token',
    });
    if (!answer.status?.token) throw new Error('the API server answered without a token');
    const lifetimeMs = Date.parse(answer.status.expirationTimestamp) - now;
    return { token: answer.status.token, refreshAt: now + Math.min(lifetimeMs * 0.8, MAX_AGE_MS) };
  }
}
