import type { Container, Pod, PodStatus } from '@kubernel/sdk/api';
import { describe, expect, it } from 'vitest';
import { podStatus } from './pod-status.ts';
import type { KnownContainer, PodRuntime } from './runtime-cache.ts';

const SECOND = 1e9;
/** `main:running`, `main:exit0`, `main:exit3#2` (second restart). */
const container = (text: string): KnownContainer => {
  const [, name, state, code, attempt = '0'] = /^(\w+):(running|exit|created)(\d*)#?(\d*)$/.exec(text)!;
  return {
    id: `id-${name}-${attempt || 0}`,
    metadata: { name, attempt: Number(attempt) },
    state: state === 'running' ? 'CONTAINER_RUNNING' : state === 'exit' ? 'CONTAINER_EXITED' : 'CONTAINER_CREATED',
    createdAt: Number(attempt) * SECOND,
    startedAt: SECOND,
    finishedAt: state === 'exit' ? 2 * SECOND : 0,
    exitCode: Number(code || 0),
    image: { image: 'app:1' },
    imageRef: 'sha256:1',
    reason: '',
    message: '',
    annotations: {},
    labels: {},
    mounts: [],
    logPath: '',
    podSandboxId: 's',
  } as KnownContainer;
};

interface Scene {
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  init?: Partial<Container>[];
  main?: string[];
  runtime?: string[];
  waiting?: Record<string, string>;
  unready?: string[];
  ended?: boolean;
  failure?: { reason: string; message: string };
  status?: PodStatus;
  readinessGates?: { conditionType: string }[];
}
const status = (scene: Scene): PodStatus => {
  const {
    restartPolicy = 'Always',
    init = [],
    main = ['main'],
    runtime = [],
    waiting = {},
    unready = [],
    ended = false,
    failure,
    readinessGates,
  } = scene;
  const pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: { restartPolicy, initContainers: init, containers: main.map((name) => ({ name, image: 'app:1' })), readinessGates },
    status: scene.status,
  } as Pod;
  const sandbox = { state: 'SANDBOX_READY' } as PodRuntime['sandboxes'][number];
  return podStatus({
    pod,
    runtime: { sandboxes: [sandbox], ips: ['10.1.1.1'], containers: new Map(runtime.map(container).map((each) => [each.id, each])) },
    waiting: new Map(Object.entries(waiting).map(([name, reason]) => [name, { reason, message: '' }])),
    recorded: new Map(),
    isReady: ({ name }) => !unready.includes(name),
    isStarted: ({ name }) => !unready.includes(name),
    hostIPs: ['192.0.2.1'],
    runtimeName: 'containerd',
    startTime: '2026-01-01T00:00:00Z',
    ended,
    failure,
  });
};
const conditions = (scene: Scene) =>
  status(scene).conditions!.map(({ type, status: value, reason }) => `${type}=${value}${reason ? ` ${reason}` : ''}`);

describe('the phase of a pod', () => {
  const cases: [string, Scene, string][] = [
    ['nothing started', {}, 'Pending'],
    ['all running', { runtime: ['main:running'] }, 'Running'],
    ['one of two not started', { main: ['main', 'more'], runtime: ['main:running'] }, 'Pending'],
    ['init containers under way', { init: [{ name: 'first' }], runtime: ['first:running'] }, 'Pending'],
    [
      'an init container failed and may not again',
      { init: [{ name: 'first' }], restartPolicy: 'Never', runtime: ['first:exit1'] },
      'Failed',
    ],
    ['an init container failed and may again', { init: [{ name: 'first' }], runtime: ['first:exit1'] }, 'Pending'],
    ['ended well, to be started again', { runtime: ['main:exit0'] }, 'Running'],
    ['waiting after a crash', { runtime: ['main:exit1'], waiting: { main: 'CrashLoopBackOff' } }, 'Running'],
    ['ended well for good', { restartPolicy: 'OnFailure', runtime: ['main:exit0'] }, 'Succeeded'],
    ['failed, to be tried again', { restartPolicy: 'OnFailure', runtime: ['main:exit1'] }, 'Running'],
    ['failed for good', { restartPolicy: 'Never', runtime: ['main:exit1'] }, 'Failed'],
    ['one ended, one running', { restartPolicy: 'Never', main: ['main', 'more'], runtime: ['main:exit0', 'more:running'] }, 'Running'],
    ['deleted, and all ended well', { runtime: ['main:exit0'], ended: true }, 'Succeeded'],
    ['deleted, and killed', { runtime: ['main:exit137'], ended: true }, 'Failed'],
    ['deleted before anything started', { ended: true }, 'Failed'],
    ['over its deadline', { runtime: ['main:running'], failure: { reason: 'DeadlineExceeded', message: 'm' } }, 'Failed'],
  ];
  it.each(cases)('%s: %#', (_, scene, phase) => expect(status(scene).phase).toBe(phase));
});

describe('the conditions of a pod', () => {
  it('are all true when it serves', () => {
    expect(conditions({ runtime: ['main:running'] })).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
  });

  it('name what is not ready', () => {
    const { conditions: list } = status({ main: ['main', 'more'], runtime: ['main:running', 'more:running'], unready: ['more'] });
    expect(list!.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [more]',
    });
    expect(conditions({ init: [{ name: 'first' }], runtime: ['first:running'] })).toContain('Initialized=False ContainersNotInitialized');
    expect(conditions({ restartPolicy: 'Never', runtime: ['main:exit0'] })).toEqual(
      expect.arrayContaining(['Initialized=True PodCompleted', 'Ready=False PodCompleted', 'ContainersReady=False PodCompleted']),
    );
  });

  it('wait for readiness gates of others, and keep what others wrote', () => {
    const gate = { type: 'example.com/lb', status: 'False' as const };
    const scene: Scene = {
      runtime: ['main:running'],
      readinessGates: [{ conditionType: 'example.com/lb' }],
      status: { conditions: [gate] },
    };
    expect(conditions(scene)).toEqual(
      expect.arrayContaining(['Ready=False ReadinessGatesNotReady', 'ContainersReady=True', 'example.com/lb=False']),
    );
    expect(conditions({ ...scene, status: { conditions: [{ ...gate, status: 'True' }] } })).toContain('Ready=True');
  });

  it('move their transition time only with their status', () => {
    const before = '2025-01-01T00:00:00Z';
    const old = {
      conditions: [
        { type: 'Ready', status: 'True' as const, lastTransitionTime: before },
        { type: 'ContainersReady', status: 'False' as const, lastTransitionTime: before },
      ],
    };
    const { conditions: list } = status({ runtime: ['main:running'], status: old });
    expect(list!.find(({ type }) => type === 'Ready')!.lastTransitionTime).toBe(before);
    expect(list!.find(({ type }) => type === 'ContainersReady')!.lastTransitionTime).not.toBe(before);
  });
});

describe('the status of a container', () => {
  it('shows how it ended before as its last state', () => {
    const [main] = status({ runtime: ['main:exit3#0', 'main:running#1'] }).containerStatuses!;
    expect(main).toMatchObject({
      restartCount: 1,
      containerID: 'containerd://id-main-1',
      state: { running: { startedAt: '1970-01-01T00:00:01Z' } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
  });

  it('waits with its reason, and its end becomes the last state', () => {
    const [main] = status({ runtime: ['main:exit3#1'], waiting: { main: 'CrashLoopBackOff' } }).containerStatuses!;
    expect(main).toMatchObject({
      restartCount: 1,
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 3 } },
    });
  });

  it('says whether it waits for init containers or for itself', () => {
    const scene: Scene = { init: [{ name: 'first' }, { name: 'second' }], runtime: ['first:running'] };
    expect(status(scene).containerStatuses![0]!.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    expect(status({}).containerStatuses![0]!.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    const started: Scene = { init: [{ name: 'side', restartPolicy: 'Always' }], runtime: ['side:running'] };
    expect(status(started).containerStatuses![0]!.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    expect(status({ ...started, unready: ['side'] }).containerStatuses![0]!.state).toEqual({ waiting: { reason: 'PodInitializing' } });
  });
});
