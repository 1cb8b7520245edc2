import { writeSync } from 'node:fs';
import { SqliteStorage } from '@kubernel/storage-sqlite';
import { Store } from '../../kernel/src/store/index.ts';

/**
 * The process that the kill test kills: a store over SQLite, 64 writers and a watcher, each of which says on standard
 * output what it was told before it goes on. `A <revision> <key> <value>` is an acknowledged write, `D <revision>
 * <key>` an acknowledged deletion, `W <revision> <key>` an event that the watcher saw.
 */
const [file, run] = process.argv.slice(2) as [string, string];
const store = new Store();
await store.attach(new SqliteStorage({ file, reserveBytes: 1 << 20 }));
const { revision } = await store.info();
const say = (line: string): void => void writeSync(1, `${line}\n`);

void (async () => {
  for await (const message of store.subscribe({ prefix: '', from: revision })) {
    if (message.type !== 'events') continue;
    const { revisions, keys } = message.events;
    say(revisions.map((one, i) => `W ${one} ${keys[i]}`).join('\n'));
  }
})();

await Promise.all(
  Array.from({ length: 64 }, async (_, writer) => {
    for (let n = 0; ; n++) {
      const key = `core/configmaps/default/writer-${writer}-${n % 5}`;
      const value = n % 7 === 6 ? null : `${run}:${writer}:${n} ${'v'.repeat((n * 97) % 3000)}`;
      const result = await store.commit({ keys: [key], values: [value], expects: [-1] });
      const made = result.revisions[0] as number;
      if (made > 0) say(value === null ? `D ${made} ${key}` : `A ${made} ${key} ${value}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }),
);
