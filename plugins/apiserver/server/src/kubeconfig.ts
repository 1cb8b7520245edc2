import { renameSync, writeFileSync } from 'node:fs';
import type { CertificateAndKey } from './pki.ts';

/** Writes the administrator's kubeconfig, mode 0600, in one step, so that nobody reads half of it. */
export function writeKubeconfig(file: string, cluster: string, server: string, ca: string, user: CertificateAndKey): void {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const context = `kubernetes-admin@${cluster}`;
  const text = `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(ca)}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: ${base64(user.cert)}
    client-key-data: ${base64(user.key)}
contexts:
- name: ${context}
  context:
    cluster: ${cluster}
    user: kubernetes-admin
current-context: ${context}
`;
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
