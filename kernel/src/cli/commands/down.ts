import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubernelError } from '@kubernel/sdk';
import { control } from '../../control/client.ts';
import { readRunFile } from '../../data-dir.ts';
import { print } from '../output.ts';

const PATIENCE_MS = 60_000;

export async function down({ dataDir }: { dataDir: string }): Promise<void> {
  const dir = resolve(dataDir);
  await control(dir, 'POST', '/stop');
  const deadline = Date.now() + PATIENCE_MS;
  while (await readRunFile(dir)) {
    if (Date.now() > deadline)
      throw new KubernelError('ERR_STOP_TIMEOUT', `the cluster on ${dir} has not stopped in ${PATIENCE_MS / 1000} s`, {
        hint: 'look at its log; kill -9 loses nothing that was acknowledged',
      });
    await delay(50);
  }
  print(`The cluster on ${dir} has stopped.`);
}
