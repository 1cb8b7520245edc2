import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { KubernelError } from '../errors.ts';
import type { HttpsOptions } from './https.ts';

/** What is used of a kubeconfig (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/). */
interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  clusters?: { name: string; cluster: ClusterEntry }[];
  users?: { name: string; user: UserEntry }[];
}

interface ClusterEntry {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
}

interface UserEntry {
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  token?: string;
  tokenFile?: string;
  exec?: unknown;
  'auth-provider'?: unknown;
}

/**
 * The address and credentials of a kubeconfig's context (the current one when none is named). Relative file names count
 * from the kubeconfig's folder. Credential plugins (`exec`, `auth-provider`) are refused with ERR_KUBECONFIG: a process
 * that runs unattended should have a certificate or a token file.
 */
export function fromKubeconfig(file: string, contextName?: string): HttpsOptions {
  const refuse = (message: string, hint = 'look at the file with `kubectl config view`'): never => {
    throw new KubernelError('ERR_KUBECONFIG', message, { subject: file, hint });
  };
  // Loaded on use: every isolate has this module, hardly one reads a kubeconfig.
  const { load } = createRequire(import.meta.url)('js-yaml') as typeof import('js-yaml');
  let config: Kubeconfig;
  try {
    config = (load(readFileSync(file, 'utf8')) ?? {}) as Kubeconfig;
  } catch (error) {
    throw new KubernelError('ERR_KUBECONFIG', `cannot be read: ${(error as Error).message}`, { subject: file, cause: error });
  }
  const folder = dirname(resolve(file));
  const name = contextName ?? config['current-context'] ?? '';
  const context = config.contexts?.find((entry) => entry.name === name)?.context ?? refuse(`there is no context "${name}"`);
  const cluster =
    config.clusters?.find((entry) => entry.name === context.cluster)?.cluster ?? refuse(`there is no cluster "${context.cluster}"`);
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  if (user.exec || user['auth-provider'])
    refuse(`user "${context.user}" asks for a credential plugin`, 'use a client certificate, a token or a tokenFile');
  const server = cluster.server ?? refuse(`cluster "${context.cluster}" has no server`);
  const pem = (data: string | undefined, path: string | undefined): string | undefined => {
    if (data) return Buffer.from(data, 'base64').toString('utf8');
    return path ? readFileSync(resolve(folder, path), 'utf8') : undefined;
  };
  const ca = pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = pem(user['client-certificate-data'], user['client-certificate']);
  const key = pem(user['client-key-data'], user['client-key']);
  return {
    server,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(user.token ? { token: user.token } : {}),
    ...(user.tokenFile ? { tokenFile: resolve(folder, user.tokenFile) } : {}),
    ...(cluster['tls-server-name'] ? { serverName: cluster['tls-server-name'] } : {}),
    ...(cluster['insecure-skip-tls-verify'] ? { insecure: true } : {}),
  };
}
