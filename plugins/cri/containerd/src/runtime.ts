import type {
  Container,
  ContainerEvent,
  ContainerStats,
  ContainerStatus,
  CriRuntime,
  ExecSyncResult,
  FilesystemUsage,
  Image,
  PodSandbox,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeHandler,
} from '@kubernel/sdk';
import { KubernelError } from '@kubernel/sdk';
import type { Connection } from './connection.ts';
import { containerEvents } from './events.ts';

/** Pulls may take as long as the network does; a stop takes its grace period and then some. */
const NO_LIMIT = { timeoutMs: 0 };
const SANDBOX = { timeoutMs: 240_000 };

/** cri/v1 over a CRI socket: the messages are CRI's own, so a call is a call. */
export function criRuntime(connection: Connection): CriRuntime {
  const runtime = <T = unknown>(method: string, request: object = {}, options = {}): Promise<T> =>
    connection.call<T>('runtime', method, request, options);
  const image = <T = unknown>(method: string, request: object = {}, options = {}): Promise<T> =>
    connection.call<T>('image', method, request, options);
  const nothing = async (call: Promise<unknown>): Promise<void> => void (await call);

  return {
    version: () => runtime('version'),
    async status() {
      const reply = await runtime<{ status: { conditions: RuntimeCondition[] } | null; runtimeHandlers: RuntimeHandler[] }>('status');
      return { conditions: reply.status?.conditions ?? [], handlers: reply.runtimeHandlers };
    },

    runPodSandbox: (request) => runtime('runPodSandbox', request, SANDBOX),
    stopPodSandbox: (request) => nothing(runtime('stopPodSandbox', request, SANDBOX)),
    removePodSandbox: (request) => nothing(runtime('removePodSandbox', request)),
    podSandboxStatus: async (request) => required(await runtime<{ status: PodSandboxStatus | null }>('podSandboxStatus', request)),
    listPodSandbox: async (request) => (await runtime<{ items: PodSandbox[] }>('listPodSandbox', request)).items,

    createContainer: (request) => runtime('createContainer', request),
    startContainer: (request) => nothing(runtime('startContainer', request)),
    stopContainer: (request) => nothing(runtime('stopContainer', request, { timeoutMs: request.timeout * 1000 + 120_000 })),
    removeContainer: (request) => nothing(runtime('removeContainer', request)),
    listContainers: async (request) => (await runtime<{ containers: Container[] }>('listContainers', request)).containers,
    containerStatus: async (request) => required(await runtime<{ status: ContainerStatus | null }>('containerStatus', request)),
    updateContainerResources: (request) => nothing(runtime('updateContainerResources', request)),
    reopenContainerLog: (request) => nothing(runtime('reopenContainerLog', request)),
    containerStats: async (request) =>
      required({ status: (await runtime<{ stats: ContainerStats | null }>('containerStats', request)).stats }),
    listContainerStats: async (request) => (await runtime<{ stats: ContainerStats[] }>('listContainerStats', request)).stats,

    async execSync(request): Promise<ExecSyncResult> {
      // The runtime ends the command at `timeout` and says so; the deadline behind it is for a runtime that hangs.
      const timeoutMs = request.timeout ? request.timeout * 1000 + 10_000 : 0;
      const reply = await runtime<{ stdout: Uint8Array; stderr: Uint8Array; exitCode: number }>('execSync', request, { timeoutMs }).catch(
        (error: KubernelError) => {
          throw /deadline exceeded|timed? ?out/i.test(error.message)
            ? new KubernelError('ERR_CRI_TIMEOUT', error.message, { subject: 'cri execSync', cause: error })
            : error;
        },
      );
      return { stdout: Buffer.from(reply.stdout).toString(), stderr: Buffer.from(reply.stderr).toString(), exitCode: reply.exitCode };
    },
    exec: (request) => runtime('exec', request),
    attach: (request) => runtime('attach', request),
    portForward: (request) => runtime('portForward', request),

    pullImage: (request) => image('pullImage', request, NO_LIMIT),
    listImages: async (request) => (await image<{ images: Image[] }>('listImages', request)).images,
    imageStatus: async (request) => (await image<{ image: Image | null }>('imageStatus', request)).image,
    removeImage: (request) => nothing(image('removeImage', request)),
    imageFsInfo: () => image<{ imageFilesystems: FilesystemUsage[]; containerFilesystems: FilesystemUsage[] }>('imageFsInfo'),

    events: (): AsyncIterable<ContainerEvent> => containerEvents(connection),
  };
}

function required<T>(reply: { status: T | null }): T {
  if (reply.status) return reply.status;
  throw new KubernelError('ERR_CRI_NOT_FOUND', 'the runtime answered without a status');
}
