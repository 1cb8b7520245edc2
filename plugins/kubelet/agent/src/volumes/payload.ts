import type { ConfigMap, Pod, Secret } from '@kubernel/sdk/api';
import { type DownwardInputs, downwardField, downwardResource } from '../downward.ts';
import type { ConfigMapSource, DownwardItem, KeyToPath, ProjectedSource, SecretSource } from '../pod-fields.ts';
import type { Payload } from './atomic-writer.ts';

export interface PayloadInputs extends DownwardInputs {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string>;
}

const DEFAULT_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3607;

export async function configMapPayload(source: ConfigMapSource, mode: number | undefined, inputs: PayloadInputs): Promise<Payload> {
  const namespace = inputs.pod.metadata.namespace ?? '';
  const name = source.name ?? '';
  const found = await inputs.configMap(namespace, name);
  if (!found && !source.optional) throw new Error(`configmap "${name}" not found`);
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'));
  return pick(data, source.items, source.defaultMode ?? mode ?? DEFAULT_MODE, source.optional === true);
}

export async function secretPayload(source: SecretSource, mode: number | undefined, inputs: PayloadInputs): Promise<Payload> {
  const namespace = inputs.pod.metadata.namespace ?? '';
  const name = source.secretName ?? source.name ?? '';
  const found = await inputs.secret(namespace, name);
  if (!found && !source.optional) throw new Error(`secret "${name}" not found`);
  const data = new Map(Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return pick(data, source.items, source.defaultMode ?? mode ?? DEFAULT_MODE, source.optional === true);
}

function pick(data: Map<string, Buffer>, items: KeyToPath[] | undefined, mode: number, optional: boolean): Payload {
  const payload: Payload = new Map();
  if (!items?.length) {
    for (const [key, value] of data) payload.set(key, { data: value, mode });
    return payload;
  }
  for (const item of items) {
    const value = data.get(item.key);
    if (value) payload.set(item.path, { data: value, mode: item.mode ?? mode });
    else if (!optional) throw new Error(`references non-existent config key: ${item.key}`);
  }
  return payload;
}

export function downwardPayload(items: readonly DownwardItem[] | undefined, mode: number | undefined, inputs: PayloadInputs): Payload {
  const payload: Payload = new Map();
  for (const item of items ?? []) {
    const text = item.fieldRef
      ? (downwardField(item.fieldRef.fieldPath, inputs) ?? '')
      : item.resourceFieldRef
        ? downwardResource(item.resourceFieldRef, inputs.pod.spec.containers[0]!, inputs)
        : '';
    payload.set(item.path, { data: Buffer.from(text), mode: item.mode ?? mode ?? DEFAULT_MODE });
  }
  return payload;
}

/** Later sources win over earlier ones at the same path. */
export async function projectedPayload(
  sources: readonly ProjectedSource[],
  mode: number | undefined,
  inputs: PayloadInputs,
): Promise<Payload> {
  const payload: Payload = new Map();
  for (const source of sources) {
    const part = await onePart(source, mode, inputs);
    for (const [path, file] of part) payload.set(path, file);
  }
  return payload;
}

async function onePart(source: ProjectedSource, mode: number | undefined, inputs: PayloadInputs): Promise<Payload> {
  if (source.configMap) return configMapPayload(source.configMap, mode, inputs);
  if (source.secret) return secretPayload(source.secret, mode, inputs);
  if (source.downwardAPI) return downwardPayload(source.downwardAPI.items, mode, inputs);
  if (source.serviceAccountToken) {
    const { audience, expirationSeconds = DEFAULT_TOKEN_SECONDS, path } = source.serviceAccountToken;
    return new Map([
      [path, { data: Buffer.from(await inputs.token(inputs.pod, audience, expirationSeconds)), mode: mode ?? DEFAULT_MODE }],
    ]);
  }
  throw new Error(`projected volume source ${Object.keys(source).join(', ')} is not supported by this kubelet`);
}
