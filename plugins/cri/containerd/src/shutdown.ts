import type { CriRuntime } from '@kubernel/sdk';

/** Ends and removes every sandbox with all that is in it. One that resists does not keep the others. */
export async function endEverything(runtime: CriRuntime): Promise<void> {
  const sandboxes = await runtime.listPodSandbox();
  const results = await Promise.allSettled(
    sandboxes.map(async ({ id: podSandboxId }) => {
      await runtime.stopPodSandbox({ podSandboxId });
      await runtime.removePodSandbox({ podSandboxId });
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
