import type { AuthConfig, CriRuntime, Image } from '@kubernel/sdk';
import { isCode } from '@kubernel/sdk';
import type { Container, Pod, Secret } from '@kubernel/sdk/api';
import { ContainerWaiting, messageOf } from './errors.ts';
import { uidOf } from './pod-fields.ts';
import { imageHost, registryAuth } from './pull-secrets.ts';

const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 300_000;

export type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

/**
 * Has a container's image ready, by its pull policy (https://kubernetes.io/docs/concepts/containers/images/). Failures are
 * ContainerWaiting with upstream's reasons, and are repeated after 10 s, 20 s … 5 min for each pod and image.
 */
export class ImagePuller {
  readonly #cri: CriRuntime;
  readonly #secret: (namespace: string, name: string) => Promise<Secret | undefined>;
  readonly #backoff = new Map<string, { delayMs: number; until: number; message: string }>();
  readonly #pulls = new Map<string, Promise<unknown>>();

  constructor(cri: CriRuntime, secret: (namespace: string, name: string) => Promise<Secret | undefined>) {
    this.#cri = cri;
    this.#secret = secret;
  }

  async ensure(pod: Pod, container: Container, tell: Tell, signal: AbortSignal): Promise<Image> {
    const name = container.image ?? '';
    const policy = container.imagePullPolicy ?? 'IfNotPresent';
    const present = await this.#status(name);
    if (present && policy !== 'Always') {
      tell('Normal', 'Pulled', `Container image "${name}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${name}" is not present with pull policy of Never`;
      tell('Warning', 'ErrImageNeverPull', message);
      throw new ContainerWaiting('ErrImageNeverPull', message);
    }
    await this.#pull(pod, name, tell, signal);
    const pulled = await this.#status(name);
    if (!pulled) throw new ContainerWaiting('ImageInspectError', `image "${name}" was pulled and is not there`);
    return pulled;
  }

  /** When this image may be tried again, in milliseconds since 1970; 0: now. */
  retryAt(pod: Pod, container: Container): number {
    return this.#backoff.get(`${uidOf(pod)} ${container.image}`)?.until ?? 0;
  }

  forget(uid: string): void {
    for (const key of this.#backoff.keys()) if (key.startsWith(`${uid} `)) this.#backoff.delete(key);
  }

  async #pull(pod: Pod, name: string, tell: Tell, signal: AbortSignal): Promise<void> {
    const key = `${uidOf(pod)} ${name}`;
    const backoff = this.#backoff.get(key);
    if (backoff && Date.now() < backoff.until) {
      tell('Normal', 'BackOff', `Back-off pulling image "${name}"`);
      tell('Warning', 'Failed', 'Error: ImagePullBackOff');
      throw new ContainerWaiting('ImagePullBackOff', `Back-off pulling image "${name}": ErrImagePull: ${backoff.message}`);
    }
    tell('Normal', 'Pulling', `Pulling image "${name}"`);
    const began = Date.now();
    try {
      await untilAborted(this.#shared(pod, name), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const message = messageOf(error);
      const delayMs = Math.min(BACKOFF_MAX_MS, (backoff?.delayMs ?? BACKOFF_BASE_MS / 2) * 2);
      this.#backoff.set(key, { delayMs, until: Date.now() + delayMs, message });
      tell('Warning', 'Failed', `Failed to pull image "${name}": ${message}`);
      tell('Warning', 'Failed', 'Error: ErrImagePull');
      const reason = isCode(error, 'ERR_CRI_UNAVAILABLE') ? 'RegistryUnavailable' : 'ErrImagePull';
      throw new ContainerWaiting(reason, message);
    }
    this.#backoff.delete(key);
    const took = duration(Date.now() - began);
    const size = (await this.#status(name))?.size ?? 0;
    tell('Normal', 'Pulled', `Successfully pulled image "${name}" in ${took} (${took} including waiting). Image size: ${size} bytes.`);
  }

  /** Pods that want the same image with the same credentials wait for one pull. */
  async #shared(pod: Pod, name: string): Promise<void> {
    const auths = await this.#credentials(pod, name);
    const key = JSON.stringify([name, auths]);
    let pull = this.#pulls.get(key);
    if (!pull) {
      pull = this.#try(name, auths).finally(() => this.#pulls.delete(key));
      this.#pulls.set(key, pull);
    }
    await pull;
  }

  async #try(image: string, auths: AuthConfig[]): Promise<void> {
    let failure: unknown;
    for (const auth of auths.length ? auths : [undefined]) {
      try {
        await this.#cri.pullImage({ image: { image, annotations: {} }, ...(auth ? { auth } : {}) });
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async #credentials(pod: Pod, image: string): Promise<AuthConfig[]> {
    const found: AuthConfig[] = [];
    for (const { name } of pod.spec.imagePullSecrets ?? []) {
      const secret = name ? await this.#secret(pod.metadata.namespace ?? '', name) : undefined;
      const auth = secret && registryAuth(secret, imageHost(image));
      if (auth) found.push(auth);
    }
    return found;
  }

  async #status(image: string): Promise<Image | null> {
    try {
      return await this.#cri.imageStatus({ image: { image, annotations: {} } });
    } catch (error) {
      if (/invalid reference|couldn't parse|InvalidArgument/i.test(messageOf(error))) {
        throw new ContainerWaiting(
          'InvalidImageName',
          `Failed to apply default image tag "${image}": couldn't parse image name: ${messageOf(error)}`,
        );
      }
      throw error;
    }
  }
}

/** The work goes on behind; the pod that is being deleted does not wait for it. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw signal.reason;
  const aborted = new AbortController();
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: aborted.signal })),
    ]);
  } finally {
    aborted.abort();
    work.catch(() => {});
  }
}

/** Like Go prints a duration: `1.234s`, `56ms`. */
function duration(ms: number): string {
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}
