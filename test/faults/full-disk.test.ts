import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** A mount of our own needs root, or at least the right to make namespaces. */
const permitted = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const reason = permitted ? '' : ' (skipped: mounting in a namespace of its own is not permitted here)';

/** Runs a scenario on a tmpfs of 64 MiB that goes away with its process; returns the JSON of its last line. */
function onSmallDisk(scenario: URL): Record<string, unknown> {
  const dir = mkdtempSync(join(tmpdir(), 'full-disk-'));
  try {
    const output = execFileSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        'mount -t tmpfs -o size=64m tmpfs "$1" && exec "$2" "$3" "$1"',
        'sh',
        dir,
        process.execPath,
        fileURLToPath(scenario),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    return JSON.parse(output.trim().split('\n').at(-1) as string) as Record<string, unknown>;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe('a full disk', () => {
  it.skipIf(!permitted)(
    `refuses growth, answers reads, lets deletes through, loses nothing, and is over when there is room${reason}`,
    () => {
      const answers = onSmallDisk(new URL('./full-disk-scenario.ts', import.meta.url));
      expect(answers).toMatchObject({
        'own data: refusal': 'ERR_STORAGE_FULL',
        'own data: lost or made up': 0,
        'own data: unhealthy': 'the disk is full',
        'own data: deleted': 2000,
        'own data: lost or made up, after': 0,
        'own data: health': 'well',
        'hog: refusal': 'ERR_STORAGE_FULL',
        'hog: deleted': 80,
        'hog: marked for deletion': true,
        'hog: still refuses': 'ERR_STORAGE_FULL',
        'hog: lost or made up': 0,
        'restart: lost or made up': 0,
        'restart: refusal': 'ERR_STORAGE_FULL',
        'restart: deleted': 10,
        'room: lost or made up': 0,
        'room: full': false,
      });
      for (const phase of ['own data: reports', 'restart: reports']) {
        const reports = answers[phase] as boolean[];
        expect([phase, reports[0], reports.at(-1), reports.length <= 4]).toEqual([phase, true, false, true]);
      }
      expect(answers['own data: stored']).toBeGreaterThan(2500);
      expect(answers['own data: recovers in seconds']).toBeLessThan(10);
      expect(answers['room: recovers in seconds']).toBeLessThan(10);
    },
    120_000,
  );

  it.skipIf(!permitted)(
    `of a whole cluster is a clear refusal to who creates, and nothing to who reads or deletes${reason}`,
    () => {
      const answers = onSmallDisk(new URL('./full-disk-cluster-scenario.ts', import.meta.url));
      expect(answers).toMatchObject({
        create: [507, 'InsufficientStorage'],
        message: expect.stringContaining('no room'),
        get: 200,
        deletes: [200],
        'create, still': 507,
        'storage while full': 'Degraded',
        'create, with room again': 201,
        'storage afterwards': 'Running',
        restarts: 0,
      });
      expect(answers['list']).toBeGreaterThanOrEqual(200);
    },
    120_000,
  );
});
