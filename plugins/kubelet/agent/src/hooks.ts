import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckTarget, httpCheck } from './check.ts';
import type { Handler } from './pod-fields.ts';

/**
 * Runs a lifecycle hook to its end (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/). Throws when it
 * fails. `timeoutMs` 0: as long as it takes.
 */
export async function runHook(handler: Handler, target: CheckTarget, timeoutMs: number): Promise<void> {
  if (handler.exec) {
    const cmd = handler.exec.command ?? [];
    const timeout = timeoutMs ? Math.max(1, Math.ceil(timeoutMs / 1000)) : 0;
    const { exitCode, stdout, stderr } = await target.cri.execSync({ containerId: target.containerId, cmd, timeout });
    if (exitCode !== 0)
      throw new Error(
        `Exec lifecycle hook (${JSON.stringify(cmd)}) failed - exit code ${exitCode}, message: ${JSON.stringify(stdout + stderr)}`,
      );
  } else if (handler.httpGet) {
    const { ok, output } = await httpCheck(handler.httpGet, timeoutMs || 60_000, target);
    if (!ok) throw new Error(`HTTP lifecycle hook (${handler.httpGet.path ?? ''}) failed: ${output}`);
  } else if (handler.sleep) {
    await sleep(timeoutMs ? Math.min(timeoutMs, handler.sleep.seconds * 1000) : handler.sleep.seconds * 1000);
  }
}
