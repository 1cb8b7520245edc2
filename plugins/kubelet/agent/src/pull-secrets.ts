import type { AuthConfig } from '@kubernel/sdk';
import type { Secret } from '@kubernel/sdk/api';

interface DockerConfig {
  auths?: Record<string, { username?: string; password?: string; auth?: string; identitytoken?: string; registrytoken?: string }>;
}

export function imageHost(image: string): string {
  const first = image.split('/')[0] ?? '';
  return image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : 'docker.io';
}

/** The entry for a registry in a `kubernetes.io/dockerconfigjson` (or the older dockercfg) secret. */
export function registryAuth(secret: Secret, host: string): AuthConfig | undefined {
  const text = secret.data?.['.dockerconfigjson'] ?? secret.data?.['.dockercfg'];
  if (!text) return undefined;
  let parsed: DockerConfig | DockerConfig['auths'];
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64').toString()) as DockerConfig;
  } catch {
    return undefined;
  }
  const auths = (secret.data?.['.dockerconfigjson'] ? (parsed as DockerConfig).auths : (parsed as DockerConfig['auths'])) ?? {};
  const entry = Object.entries(auths).find(([server]) => serverHost(server) === host)?.[1];
  if (!entry) return undefined;
  return {
    ...(entry.username ? { username: entry.username } : {}),
    ...(entry.password ? { password: entry.password } : {}),
    ...(entry.auth ? { auth: entry.auth } : {}),
    ...(entry.identitytoken ? { identityToken: entry.identitytoken } : {}),
    ...(entry.registrytoken ? { registryToken: entry.registrytoken } : {}),
    serverAddress: host,
  };
}

function serverHost(server: string): string {
  const host = server.replace(/^https?:\/\//, '').split('/')[0]!;
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
