import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createKernel } from '@kubernel/kernel';
import { parse } from 'yaml';

/** Runs on a small tmpfs in a mount namespace of its own: a whole cluster whose disk fills. Prints as JSON what it met. */
const dir = process.argv[2] as string;
const answers: Record<string, unknown> = {};
const PATH = '/api/v1/namespaces/default/configmaps';
const config = parse(readFileSync(join(import.meta.dirname, 'api-only.yaml'), 'utf8'));
const kernel = await createKernel({ config, dataDir: join(dir, 'data') });
let next = 0;

async function create(): Promise<{ code: number; status: { reason?: string; message?: string } }> {
  const metadata = { name: `cm-${next++}` };
  const { code, body } = await kernel.request({
    method: 'POST',
    path: PATH,
    body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text: 'x'.repeat(5000) } }),
  });
  return { code, status: JSON.parse(body) };
}

/** Creates until one is refused. */
async function createUntilRefused(): Promise<{ code: number; status: { reason?: string; message?: string } }> {
  for (;;) {
    const answer = await create();
    if (answer.code !== 201) return answer;
  }
}

for (let i = 0; i < 200; i++) await create();
const hog = join(dir, 'hog');
const descriptor = openSync(hog, 'w');
for (const size of [1 << 20, 4096, 1]) {
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(size, 1));
  } catch {}
}
closeSync(descriptor);

const refused = await createUntilRefused();
answers['create'] = [refused.code, refused.status.reason];
answers['message'] = refused.status.message;
answers['get'] = (await kernel.request({ method: 'GET', path: `${PATH}/cm-0` })).code;
answers['list'] = JSON.parse((await kernel.request({ method: 'GET', path: PATH })).body).items.length;
const deletes = await Promise.all(
  Array.from({ length: 100 }, async (_, i) => {
    // In one turn with creates, which must not drag the deletes down with them.
    const [, gone] = await Promise.all([create(), kernel.request({ method: 'DELETE', path: `${PATH}/cm-${i}` })]);
    return gone.code;
  }),
);
answers['deletes'] = [...new Set(deletes)];
answers['create, still'] = (await create()).code;
answers['storage while full'] = kernel.plugins().find(({ id }) => id === 'storage/sqlite')?.state;
rmSync(hog);
const start = performance.now();
let code = 0;
while (code !== 201 && performance.now() - start < 15_000) {
  ({ code } = await create());
  await new Promise((resolve) => setTimeout(resolve, 50));
}
answers['create, with room again'] = code;
answers['storage afterwards'] = kernel.plugins().find(({ id }) => id === 'storage/sqlite')?.state;
answers['restarts'] = kernel.plugins().reduce((sum, { restarts }) => sum + restarts, 0);
await kernel.stop();
process.stdout.write(`\n${JSON.stringify(answers)}\n`);
process.exit(0);
