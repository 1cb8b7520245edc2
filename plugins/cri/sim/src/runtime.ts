import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Container,
  type ContainerConfig,
  type ContainerEvent,
  type ContainerStatus,
  type CriRuntime,
  type Image,
  KubernelError,
  type PodSandboxConfig,
  type PodSandboxStatus,
} from '@kubernel/sdk';
import { AddressPool } from './addresses.ts';
import { behaviour, MISSING_IMAGE } from './behaviour.ts';
import { EventStream } from './event-stream.ts';

/** config.schema.json */
export interface SimConfig {
  sandboxMs?: number;
  startMs?: number;
  pullMs?: number;
  stopMs?: number;
  podCIDR?: string;
}

interface SimSandbox {
  status: PodSandboxStatus;
  logDirectory: string;
  containers: Set<string>;
}
interface SimContainer {
  status: ContainerStatus;
  podSandboxId: string;
  config: ContainerConfig;
  timer?: NodeJS.Timeout;
}

const RUNTIME_NAME = 'kubernel-sim';

/** cri/v1 without containers: states, addresses, exit codes and a line of log, in memory alone. */
export class SimRuntime implements CriRuntime {
  readonly #config: SimConfig;
  readonly #addresses: AddressPool;
  readonly #sandboxes = new Map<string, SimSandbox>();
  readonly #containers = new Map<string, SimContainer>();
  readonly #images = new Map<string, Image>();
  readonly #events = new EventStream<ContainerEvent>();
  /** Logs are written when a directory for them is there: with thousands of pods nobody reads them. */
  readonly #logs: boolean;

  constructor(config: SimConfig, logs: boolean) {
    this.#config = config;
    this.#addresses = new AddressPool(config.podCIDR ?? '10.128.0.0/9');
    this.#logs = logs;
  }

  async version() {
    return { runtimeName: RUNTIME_NAME, runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' };
  }

  async status() {
    const ready = (type: string) => ({ type, status: true, reason: '', message: '' });
    return { conditions: [ready('RuntimeReady'), ready('NetworkReady')], handlers: [] };
  }

  // -------------------------------------------------------------------------------------------------- sandboxes

  async runPodSandbox({ config, runtimeHandler = '' }: { config: PodSandboxConfig; runtimeHandler?: string }) {
    await this.#pause(this.#config.sandboxMs);
    const id = newId();
    const hostNetwork = config.linux.securityContext?.namespaceOptions.network === 'NODE';
    const { metadata, labels, annotations, logDirectory } = config;
    this.#sandboxes.set(id, {
      status: {
        id,
        metadata,
        labels,
        annotations,
        runtimeHandler,
        state: 'SANDBOX_READY',
        createdAt: nanos(),
        network: hostNetwork ? null : { ip: this.#addresses.take(), additionalIps: [] },
      },
      logDirectory,
      containers: new Set(),
    });
    return { podSandboxId: id };
  }

  async stopPodSandbox({ podSandboxId }: { podSandboxId: string }) {
    const sandbox = this.#sandboxes.get(podSandboxId);
    if (!sandbox || sandbox.status.state === 'SANDBOX_NOTREADY') return;
    for (const id of sandbox.containers) this.#exit(id, 137, 'Error');
    if (sandbox.status.network) this.#addresses.release(sandbox.status.network.ip);
    sandbox.status.state = 'SANDBOX_NOTREADY';
  }

  async removePodSandbox(request: { podSandboxId: string }) {
    await this.stopPodSandbox(request);
    for (const id of this.#sandboxes.get(request.podSandboxId)?.containers ?? []) this.#containers.delete(id);
    this.#sandboxes.delete(request.podSandboxId);
  }

  async podSandboxStatus({ podSandboxId }: { podSandboxId: string }) {
    return { ...this.#sandbox(podSandboxId).status };
  }

  async listPodSandbox() {
    return [...this.#sandboxes.values()].map(({ status }) => ({ ...status }));
  }

  // -------------------------------------------------------------------------------------------------- containers

  async createContainer({ podSandboxId, config }: { podSandboxId: string; config: ContainerConfig }) {
    const sandbox = this.#sandbox(podSandboxId);
    const id = newId();
    const { metadata, labels, annotations } = config;
    const image = [...this.#images.values()].find((known) => known.id === config.image.image);
    this.#containers.set(id, {
      podSandboxId,
      config,
      status: {
        id,
        metadata,
        labels,
        annotations,
        state: 'CONTAINER_CREATED',
        createdAt: nanos(),
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        image: { image: image?.repoTags[0] ?? config.image.image },
        imageRef: image?.id ?? config.image.image,
        reason: '',
        message: '',
        mounts: [],
        logPath: this.#logs ? join(sandbox.logDirectory, config.logPath) : '',
      },
    });
    sandbox.containers.add(id);
    return { containerId: id };
  }

  async startContainer({ containerId }: { containerId: string }) {
    await this.#pause(this.#config.startMs);
    const container = this.#container(containerId);
    const { status, config } = container;
    status.state = 'CONTAINER_RUNNING';
    status.startedAt = nanos();
    this.#events.push({ containerId, type: 'CONTAINER_STARTED_EVENT', createdAt: status.startedAt });
    if (status.logPath) {
      mkdirSync(dirname(status.logPath), { recursive: true });
      const line = `simulated container ${status.metadata.name} of image ${status.image.image} started`;
      writeFileSync(status.logPath, `${new Date().toISOString().replace('Z', '000000Z')} stdout F ${line}\n`);
    }
    const annotations = this.#sandbox(container.podSandboxId).status.annotations;
    const { exitAfterMs, exitCode } = behaviour(annotations, [...config.command, ...config.args]);
    if (exitAfterMs !== undefined) {
      container.timer = setTimeout(() => this.#exit(containerId, exitCode, exitCode === 0 ? 'Completed' : 'Error'), exitAfterMs);
    }
  }

  async stopContainer({ containerId }: { containerId: string; timeout: number }) {
    if (!this.#containers.has(containerId)) return;
    await this.#pause(this.#config.stopMs);
    this.#exit(containerId, 143, 'Error');
  }

  async removeContainer({ containerId }: { containerId: string }) {
    this.#exit(containerId, 137, 'Error');
    const container = this.#containers.get(containerId);
    if (container) this.#sandboxes.get(container.podSandboxId)?.containers.delete(containerId);
    this.#containers.delete(containerId);
  }

  async listContainers(): Promise<Container[]> {
    return [...this.#containers.values()].map(({ podSandboxId, status }) => ({ ...status, podSandboxId }));
  }

  async containerStatus({ containerId }: { containerId: string }) {
    return { ...this.#container(containerId).status };
  }

  async updateContainerResources() {}
  async reopenContainerLog() {}

  async containerStats({ containerId }: { containerId: string }) {
    const { status } = this.#container(containerId);
    const { id, metadata, labels, annotations } = status;
    return { attributes: { id, metadata, labels, annotations }, cpu: null, memory: null, writableLayer: null };
  }

  async listContainerStats() {
    return Promise.all([...this.#containers.keys()].map((containerId) => this.containerStats({ containerId })));
  }

  // -------------------------------------------------------------------------------------------------- sessions

  async execSync({ containerId }: { containerId: string }) {
    this.#container(containerId);
    return { stdout: '', stderr: '', exitCode: 0 };
  }

  async exec(): Promise<{ url: string }> {
    throw simulated('exec');
  }

  async attach(): Promise<{ url: string }> {
    throw simulated('attach');
  }

  async portForward(): Promise<{ url: string }> {
    throw simulated('port-forward');
  }

  // -------------------------------------------------------------------------------------------------- images

  async pullImage({ image: { image } }: { image: { image: string } }) {
    if (MISSING_IMAGE.test(image)) throw new KubernelError('ERR_CRI', `failed to resolve reference "${image}": not found`);
    await this.#pause(this.#config.pullMs);
    return { imageRef: this.#addImage(image).id };
  }

  async imageStatus({ image: { image } }: { image: { image: string } }) {
    return this.#images.get(image) ?? [...this.#images.values()].find(({ id }) => id === image) ?? null;
  }

  async listImages() {
    return [...this.#images.values()];
  }

  async removeImage({ image: { image } }: { image: { image: string } }) {
    this.#images.delete(image);
  }

  async imageFsInfo() {
    return { imageFilesystems: [], containerFilesystems: [] };
  }

  async importImage({ names = [] }: { file: string; names?: string[] }) {
    for (const name of names) this.#addImage(name);
    return { images: names };
  }

  events(): AsyncIterable<ContainerEvent> {
    return this.#events.subscribe();
  }

  async shutdown() {
    for (const podSandboxId of [...this.#sandboxes.keys()]) await this.removePodSandbox({ podSandboxId });
  }

  // --------------------------------------------------------------------------------------------------

  #exit(containerId: string, exitCode: number, reason: string): void {
    const container = this.#containers.get(containerId);
    if (container?.status.state !== 'CONTAINER_RUNNING') return;
    clearTimeout(container.timer);
    Object.assign(container.status, { state: 'CONTAINER_EXITED', exitCode, reason, finishedAt: nanos() });
    this.#events.push({ containerId, type: 'CONTAINER_STOPPED_EVENT', createdAt: container.status.finishedAt });
  }

  #addImage(name: string): Image {
    let image = this.#images.get(name);
    if (!image) {
      const id = `sha256:${createHash('sha256').update(name).digest('hex')}`;
      image = { id, repoTags: [name], repoDigests: [], size: 1_000_000, uid: { value: 65_534 }, username: '' };
      this.#images.set(name, image);
    }
    return image;
  }

  #sandbox(id: string): SimSandbox {
    const found = this.#sandboxes.get(id);
    if (!found) throw notFound('sandbox', id);
    return found;
  }

  #container(id: string): SimContainer {
    const found = this.#containers.get(id);
    if (!found) throw notFound('container', id);
    return found;
  }

  #pause(ms = 0): Promise<void> | undefined {
    return ms > 0 ? sleep(ms) : undefined;
  }
}

function notFound(what: string, id: string): KubernelError {
  return new KubernelError('ERR_CRI_NOT_FOUND', `no simulated ${what} ${id}`, { subject: 'cri/sim' });
}

function simulated(what: string): KubernelError {
  return new KubernelError('ERR_CRI_SIMULATED', `${what} needs a real container; this one is simulated`, {
    subject: 'cri/sim',
    hint: 'use a config with cri/containerd (standalone.yaml)',
  });
}

function newId(): string {
  return randomBytes(32).toString('hex');
}

function nanos(): number {
  return Date.now() * 1e6;
}
