import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { definePlugin, KubernelError } from '@kubernel/sdk';
import type { ConfigMap, Namespace } from '@kubernel/sdk/api';
import { CONFIG_MAPS, controllerParts, isAlreadyExists, isNamespaceTerminating, isNotFound, NAMESPACES } from '@kubernel/sdk/client';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION = 'kubernetes.io/description';
const WHAT_IT_IS =
  'CA certificates that vouch for the API server at its in-cluster addresses (kubernetes.default.svc). Not meant for anything else.';

export interface RootCaConfig {
  /** PEM file with the certificates to publish. Default: `<data-dir>/pki/ca.crt`. */
  caFile?: string;
}

/** Every namespace has the cluster's CA in ConfigMap `kube-root-ca.crt` (KEP-2907), which projected service account volumes mount. */
export const rootCaPublisher = definePlugin<'controller/v1', RootCaConfig>('controller/v1', 'root-ca', {
  async start(ctx) {
    const file = ctx.config.caFile ?? join(ctx.dataDir, 'pki', 'ca.crt');
    let pem = await read(file);
    const parts = controllerParts(ctx, 'root-ca-certificate-publisher');
    const namespaces = parts.informers.get<Namespace>(NAMESPACES);
    const bundles = parts.informers.get<ConfigMap>(CONFIG_MAPS, { fieldSelector: `metadata.name=${NAME}` });
    const reconciler = parts.reconciler('root-ca', sync);
    reconciler.watch(namespaces);
    reconciler.watch(bundles, ({ metadata }) => [metadata.namespace ?? '']);

    // The folder and not the file: certificates are replaced by renaming a new file over the old one.
    const watcher = watch(dirname(file), (_event, name) => {
      if (name === basename(file)) void rotate();
    });
    watcher.on('error', (error) => ctx.log.warn('the CA file is no longer watched', { error: error.message, file }));
    ctx.defer(() => watcher.close());
    return parts.run(reconciler);

    async function rotate(): Promise<void> {
      try {
        const next = await read(file);
        if (next === pem) return;
        pem = next;
        ctx.log.info('the root CA changed and is published anew', { file });
        for (const { metadata } of namespaces.list()) reconciler.enqueue(metadata.name ?? '');
      } catch (error) {
        ctx.log.warn('the CA file cannot be read; the last one stays published', { error: String(error), file });
      }
    }

    async function sync(namespace: string): Promise<void> {
      const found = namespaces.get(namespace);
      if (!found || found.metadata.deletionTimestamp) return;
      const bundle = bundles.get(`${namespace}/${NAME}`);
      try {
        if (!bundle) {
          const metadata = { name: NAME, namespace, annotations: { [DESCRIPTION]: WHAT_IT_IS } };
          await parts.client.create<ConfigMap>(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': pem } });
        } else if (Object.keys(bundle.data ?? {}).join() !== 'ca.crt' || bundle.data?.['ca.crt'] !== pem) {
          await parts.client.update<ConfigMap>(CONFIG_MAPS, { ...bundle, data: { 'ca.crt': pem } });
        }
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error;
      }
    }
  },
});

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new KubernelError('ERR_ROOT_CA_MISSING', `the root CA cannot be read: ${(error as Error).message}`, {
      subject: 'controller/root-ca',
      hint: 'the API server writes it when it starts first; or name another file with caFile',
      cause: error,
    });
  }
}
