import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** A mount of our own needs root, or at least the right to make namespaces. */
const permitted = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const reason = permitted ? '' : ' (skipped: mounting in a namespace of its own is not permitted here)';

describe('a full disk', () => {
  it.skipIf(!permitted)(
    `refuses growth, answers reads, lets deletes through, loses nothing, and is over when there is room${reason}`,
    () => {
      const dir = mkdtempSync(join(tmpdir(), 'full-disk-'));
      try {
        const scenario = fileURLToPath(new URL('./full-disk-scenario.ts', import.meta.url));
        const output = execFileSync(
          'unshare',
          ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64m tmpfs "$1" && exec "$2" "$3" "$1"', 'sh', dir, process.execPath, scenario],
          { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
        );
        const answers = JSON.parse(output) as Record<string, unknown>;
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
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    },
    120_000,
  );
});
