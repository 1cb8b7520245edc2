/** The TokenRequest and TokenReview of authentication.k8s.io, on top of {@link ServiceAccountTokens}. */
import type { ApiReader, UserInfo } from '@kubernel/sdk';
import { StatusError } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import { FieldErrors, FieldPath } from '@kubernel/sdk/api';
import { badRequest } from './errors.ts';
import type { IssueOptions, ServiceAccountTokens } from './service-account.ts';

const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const DEFAULT_SECONDS = 3600;
/** The expiry kubelets ask for on behalf of pods that know nothing of rotation: they get a year, and a warning mark. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

export interface RequestLimits {
  apiAudiences: readonly string[];
  extendExpiration: boolean;
  /** Seconds; 0 is no limit beyond the API's own. */
  maxExpirationSeconds: number;
}

interface TokenRequestSpec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } | null;
}

export async function issueFor(
  tokens: ServiceAccountTokens,
  reader: ApiReader,
  serviceAccount: KubeObject,
  request: KubeObject,
  limits: RequestLimits,
): Promise<KubeObject> {
  const asked = (request.spec ?? {}) as TokenRequestSpec;
  const { name = '', namespace = '', uid = '' } = serviceAccount.metadata;
  const audiences = asked.audiences?.length ? asked.audiences : [...limits.apiAudiences];
  const expirationSeconds = asked.expirationSeconds ?? DEFAULT_SECONDS;
  checkExpiration(expirationSeconds);

  const { ref, binding } = bind(asked.boundObjectRef, reader, namespace, name);
  let lifetime = limits.maxExpirationSeconds > 0 ? Math.min(expirationSeconds, limits.maxExpirationSeconds) : expirationSeconds;
  const forApi = audiences.length === limits.apiAudiences.length && audiences.every((audience) => limits.apiAudiences.includes(audience));
  const extended = limits.extendExpiration && expirationSeconds === WARN_ONLY_SECONDS && binding.pod !== undefined && forApi;
  if (extended) lifetime = EXTENDED_SECONDS;

  const { token, expires } = await tokens.issue({
    serviceAccount: { name, uid },
    namespace,
    audiences,
    lifetime,
    ...binding,
    ...(extended ? { warnAfter: WARN_ONLY_SECONDS } : {}),
  });
  // The answer names the expiry that was asked for, so that a kubelet refreshes an extended token as early as any other.
  const shown = extended ? expires - EXTENDED_SECONDS + WARN_ONLY_SECONDS : expires;
  return {
    ...request,
    metadata: { ...request.metadata, name, namespace },
    spec: { ...asked, audiences, expirationSeconds: extended ? expirationSeconds : lifetime, boundObjectRef: ref ?? null },
    status: { token, expirationTimestamp: new Date(shown * 1000).toISOString().replace('.000Z', 'Z') },
  };
}

function checkExpiration(seconds: number): void {
  const errors = new FieldErrors();
  const path = FieldPath.of('spec', 'expirationSeconds');
  if (seconds < MIN_SECONDS) errors.invalid(path, seconds, 'may not specify a duration less than 10 minutes');
  if (seconds > MAX_SECONDS) errors.invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds');
  if (!errors.empty) throw errors.toStatusError('TokenRequest', 'authentication.k8s.io', '');
}

interface Bound {
  ref?: TokenRequestSpec['boundObjectRef'];
  binding: Pick<IssueOptions, 'pod' | 'secret' | 'node'>;
}

function bind(ref: TokenRequestSpec['boundObjectRef'], reader: ApiReader, namespace: string, account: string): Bound {
  if (!ref) return { binding: {} };
  const { kind = '', apiVersion = '', name = '' } = ref;
  const found = (resource: string, where: string): KubeObject => {
    const object = reader.get('', resource, where, name);
    if (!object) throw new StatusError(404, 'NotFound', `${resource} ${JSON.stringify(name)} not found`, { name, kind: resource });
    if (ref.uid && ref.uid !== object.metadata.uid) {
      const message = `Operation cannot be fulfilled on ${kind} ${JSON.stringify(name)}: the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw new StatusError(409, 'Conflict', message, { name, kind });
    }
    return object;
  };
  const of = (object: KubeObject): { name: string; uid: string } => ({ name, uid: object.metadata.uid ?? '' });
  const answer = (object: KubeObject): Bound['ref'] => ({ ...ref, uid: object.metadata.uid ?? '' });

  if (apiVersion === 'v1' && kind === 'Pod') {
    const pod = found('pods', namespace) as KubeObject & { spec?: { serviceAccountName?: string; nodeName?: string } };
    if (pod.spec?.serviceAccountName !== account) {
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
      );
    }
    const nodeName = pod.spec.nodeName;
    const node = nodeName ? { name: nodeName, uid: reader.get('', 'nodes', '', nodeName)?.metadata.uid ?? '' } : undefined;
    return { ref: answer(pod), binding: { pod: of(pod), ...(node ? { node } : {}) } };
  }
  if (apiVersion === 'v1' && kind === 'Secret') {
    const secret = found('secrets', namespace);
    return { ref: answer(secret), binding: { secret: of(secret) } };
  }
  if (apiVersion === 'v1' && kind === 'Node') {
    const node = found('nodes', '');
    return { ref: answer(node), binding: { node: of(node) } };
  }
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['', apiVersion];
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}

/** Answers a TokenReview with what `authenticate` makes of its token. */
export async function reviewWith(
  review: KubeObject,
  apiAudiences: readonly string[],
  authenticate: (token: string, audiences: readonly string[]) => Promise<{ user: UserInfo; audiences: string[] }>,
): Promise<KubeObject> {
  const { token, audiences } = (review.spec ?? {}) as { token?: string; audiences?: string[] };
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  try {
    const accepted = await authenticate(token, audiences?.length ? audiences : apiAudiences);
    const { name: username, uid, groups, extra } = accepted.user;
    return {
      ...review,
      status: {
        authenticated: true,
        user: { username, ...(uid ? { uid } : {}), groups: [...groups, 'system:authenticated'], ...(extra ? { extra } : {}) },
        ...(accepted.audiences.length ? { audiences: accepted.audiences } : {}),
      },
    };
  } catch (error) {
    return { ...review, status: { user: {}, error: (error as Error).message } };
  }
}
