import { definePlugin } from '@kubernel/sdk';
import type { Namespace, ServiceAccount } from '@kubernel/sdk/api';
import { controllerParts, isAlreadyExists, isNamespaceTerminating, isNotFound, NAMESPACES, SERVICE_ACCOUNTS } from '@kubernel/sdk/client';

const NAME = 'default';

/** Every namespace has a service account `default` (https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts). */
export const serviceAccountController = definePlugin('controller/v1', 'serviceaccount', {
  start(ctx) {
    const parts = controllerParts(ctx, 'service-account-controller');
    const namespaces = parts.informers.get<Namespace>(NAMESPACES);
    const accounts = parts.informers.get<ServiceAccount>(SERVICE_ACCOUNTS, { fieldSelector: `metadata.name=${NAME}` });
    const reconciler = parts.reconciler('serviceaccount', sync);
    reconciler.watch(namespaces);
    accounts.on({ delete: ({ metadata }) => reconciler.enqueue(metadata.namespace ?? '') });
    return parts.run(reconciler);

    async function sync(namespace: string): Promise<void> {
      const found = namespaces.get(namespace);
      if (!found || found.metadata.deletionTimestamp || accounts.get(`${namespace}/${NAME}`)) return;
      try {
        await parts.client.create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } });
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error;
      }
    }
  },
});
