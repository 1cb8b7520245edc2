import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ensurePki } from './pki.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubernel-pki-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the first start makes every certificate, readable by its owner alone, and the next one reads them', async () => {
  const made = await ensurePki(dir, ['localhost', '127.0.0.1']);
  for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600);
  const ca = new X509Certificate(made.ca.cert);
  expect(ca.ca).toBe(true);
  for (const { cert } of [made.serving, made.admin, made.kubeletClient]) expect(new X509Certificate(cert).verify(ca.publicKey)).toBe(true);
  expect(new X509Certificate(made.serving.cert).checkHost('localhost')).toBe('localhost');
  expect(new X509Certificate(made.serving.cert).checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(new X509Certificate(made.admin.cert).subject).toBe('O=system:masters\nCN=kubernetes-admin');
  expect(readFileSync(join(dir, 'sa.pub'), 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  expect(await ensurePki(dir, ['localhost'])).toEqual(made);
});

test('a name that is missing makes a new serving certificate, of the same authority', async () => {
  const before = await ensurePki(dir, ['localhost']);
  const after = await ensurePki(dir, ['localhost', 'api.example.com']);
  expect(after.ca).toEqual(before.ca);
  expect(after.admin).toEqual(before.admin);
  expect(new X509Certificate(after.serving.cert).checkHost('api.example.com')).toBe('api.example.com');
});
