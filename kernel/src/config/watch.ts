import { watch } from 'chokidar';
import type { ClusterConfig } from './cluster-config.ts';
import { loadConfig } from './load.ts';

/** Editors write in several steps; a change counts when the file was still for this long, in milliseconds. */
const SETTLE_MS = 60;

export interface ConfigListener {
  changed(config: ClusterConfig): void | Promise<void>;
  /** The edit is refused; the cluster runs on as it was. */
  refused(error: Error): void;
}

/** Tells of each change of a config file, one after the other. Returns the way to stop. */
export function watchConfig(file: string, listener: ConfigListener): () => Promise<void> {
  let work: Promise<void> = Promise.resolve();
  const reload = (): void => {
    work = work.then(async () => {
      try {
        await listener.changed(await loadConfig(file));
      } catch (error) {
        listener.refused(error as Error);
      }
    });
  };
  const watcher = watch(file, { ignoreInitial: true, awaitWriteFinish: { stabilityThreshold: SETTLE_MS, pollInterval: 20 } });
  watcher.on('change', reload).on('add', reload);
  return async () => {
    await watcher.close();
    await work;
  };
}
