import { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import type { Api } from './api.ts';
import type { Call } from './call.ts';
import { bodyText, JSON_TYPE, mediaType, PROTOBUF_TYPE, YAML_TYPE } from './decode-body.ts';
import { parseExactly } from './schema/exact-json.ts';
import { badRequest, unsupportedMediaType } from './status.ts';
import { checkDryRun } from './write-options.ts';
import { parseYaml } from './yaml.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export interface DeleteOptions {
  dryRun: boolean;
  gracePeriodSeconds: number | undefined;
  propagationPolicy: 'Orphan' | 'Background' | 'Foreground' | undefined;
  orphanDependents: boolean | undefined;
  preconditions: { uid?: string; resourceVersion?: string };
  document: Record<string, unknown>;
}

/** From the body where there is one, else from the query. */
export function deleteOptions(api: Api, call: Call): DeleteOptions {
  const empty = call.body === undefined || call.body.length === 0;
  const document = empty ? fromQuery(call) : fromBody(api, call);
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = document;
  const errors = new FieldErrors();
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.invalid(FieldPath.of('propagationPolicy'), propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set');
  }
  if (propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy as string)) {
    errors.notSupported(FieldPath.of('propagationPolicy'), propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil']);
  }
  const dry = (dryRun as string[] | undefined) ?? [];
  checkDryRun(dry, errors);
  if (!errors.empty) throw errors.toStatusError('DeleteOptions', 'meta.k8s.io', '');
  return {
    dryRun: dry.length > 0,
    gracePeriodSeconds: gracePeriodSeconds as number | undefined,
    propagationPolicy: propagationPolicy as DeleteOptions['propagationPolicy'],
    orphanDependents: orphanDependents as boolean | undefined,
    preconditions: (preconditions as DeleteOptions['preconditions'] | undefined) ?? {},
    document: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...document },
  };
}

const TARGET = { type: 'meta.v1.DeleteOptions', apiVersion: 'v1', kind: 'DeleteOptions' };

function fromBody(api: Api, call: Call): Record<string, unknown> {
  const media = mediaType(call.contentType) || JSON_TYPE;
  if (media === PROTOBUF_TYPE && api.codec.decodeProtobuf)
    return api.codec.decodeProtobuf(TARGET, Buffer.from(call.body ?? '')).object as unknown as Record<string, unknown>;
  const text = bodyText(call);
  if (![JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE].includes(media)) throw unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
  let value: unknown;
  try {
    value = media === YAML_TYPE ? parseYaml(text) : parseExactly(text).value;
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('expected DeleteOptions in the body');
  return value as Record<string, unknown>;
}

function fromQuery({ query }: Call): Record<string, unknown> {
  if (query.size === 0) return {};
  const grace = query.get('gracePeriodSeconds');
  if (grace && !/^-?\d+$/.test(grace)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  const dryRun = query.all('dryRun').filter((value) => value !== '');
  return {
    ...(grace ? { gracePeriodSeconds: Number(grace) } : {}),
    ...(query.get('propagationPolicy') ? { propagationPolicy: query.get('propagationPolicy') } : {}),
    ...(query.has('orphanDependents') ? { orphanDependents: query.flag('orphanDependents') } : {}),
    ...(dryRun.length > 0 ? { dryRun } : {}),
  };
}
