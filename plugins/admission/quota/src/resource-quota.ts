import type { Admission, AdmissionAttributes, ApiReader } from '@kubernel/sdk';
import { admissionDenied } from '@kubernel/sdk';
import type { KubeObject } from '@kubernel/sdk/api';
import type { Client } from '@kubernel/sdk/client';
import { increase } from './amounts.ts';
import type { Evaluator } from './evaluators.ts';
import { evaluatorOf } from './evaluators.ts';
import type { ResourceQuota } from './ledger.ts';
import { Ledger } from './ledger.ts';

/**
 * Counts what a request adds before it is let in. A request that fails later stays counted until the quota controller
 * counts anew. List it last. https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function resourceQuota(client: () => Client): Admission {
  let reader: ApiReader;
  const ledgers = new Map<string, Ledger>();
  const evaluators = new Map<string, Evaluator>();
  const evaluator = (group: string, resource: string): Evaluator => {
    const key = `${group}/${resource}`;
    let found = evaluators.get(key);
    if (!found) evaluators.set(key, (found = evaluatorOf(group, resource)));
    return found;
  };

  return {
    init(apiReader) {
      reader = apiReader;
    },
    handles: (operation, group, resource, subresource) =>
      subresource === '' && (operation === 'CREATE' || operation === 'UPDATE') && evaluator(group, resource).operations.includes(operation),
    validate(attributes) {
      const { namespace, object, oldObject } = attributes;
      if (namespace === '' || !object || object.metadata.deletionTimestamp) return;
      if (reader.list('', 'resourcequotas', namespace).length === 0) return;
      const own = evaluator(attributes.group, attributes.resource);
      const usage = own.usage(object);
      const delta = oldObject ? increase(usage, own.usage(oldObject)) : usage;
      if (delta.size === 0) return;
      let ledger = ledgers.get(namespace);
      if (!ledger) ledgers.set(namespace, (ledger = new Ledger(namespace, reader, client)));
      const claim = ledger.claim({
        delta,
        dryRun: attributes.dryRun,
        counts: (quota) => counts(attributes, own, object, quota, [...delta.keys()]),
        refuse: (why) => admissionDenied(attributes, why),
      });
      return claim.finally(() => {
        // Namespaces come and go; an idle ledger knows nothing the cache does not.
        if (ledgers.size > 1_000) for (const [name, one] of ledgers) if (one.idle) ledgers.delete(name);
      });
    },
  };
}

function counts(
  attributes: AdmissionAttributes,
  evaluator: Evaluator,
  object: KubeObject,
  quota: ResourceQuota,
  resources: readonly string[],
): boolean {
  const hard = Object.keys(quota.status?.hard ?? {});
  if (!evaluator.inScope(object, quota.spec ?? {})) return false;
  const why = attributes.operation === 'CREATE' ? evaluator.constraints?.(object, hard) : undefined;
  if (why) throw admissionDenied(attributes, `failed quota: ${quota.metadata.name}: ${why}`);
  const restricted = resources.filter((name) => hard.includes(name));
  if (restricted.length === 0) return false;
  const unknown = restricted.some((name) => quota.status?.used?.[name] === undefined);
  if (unknown)
    throw admissionDenied(attributes, `status unknown for quota: ${quota.metadata.name}, resources: ${restricted.sort().join(',')}`);
  return true;
}
