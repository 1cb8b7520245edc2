/** What every namespace and cluster role is given: a service account, the root CA bundle, aggregated rules. */
import { clusterRoleAggregation } from './clusterrole-aggregation.ts';
import { rootCaPublisher } from './root-ca.ts';
import { serviceAccountController } from './service-account.ts';

export default [serviceAccountController, rootCaPublisher, clusterRoleAggregation];
