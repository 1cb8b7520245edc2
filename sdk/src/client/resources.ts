import type { ResourceRef } from '../api/object.ts';

/** The resources that Kubernetes' own parts use, by the names the API has for them. */

const core = (resource: string, clusterScoped = false): ResourceRef => ref('', 'v1', resource, clusterScoped);
const apps = (resource: string): ResourceRef => ref('apps', 'v1', resource);
const rbac = (resource: string, clusterScoped = false): ResourceRef => ref('rbac.authorization.k8s.io', 'v1', resource, clusterScoped);
const storage = (resource: string): ResourceRef => ref('storage.k8s.io', 'v1', resource, true);

function ref(group: string, version: string, resource: string, clusterScoped = false): ResourceRef {
  return Object.freeze({ group, version, resource, ...(clusterScoped ? { clusterScoped } : {}) });
}

export const CONFIG_MAPS = core('configmaps');
export const ENDPOINTS = core('endpoints');
export const EVENTS = core('events');
export const LIMIT_RANGES = core('limitranges');
export const NAMESPACES = core('namespaces', true);
export const NODES = core('nodes', true);
export const PERSISTENT_VOLUMES = core('persistentvolumes', true);
export const PERSISTENT_VOLUME_CLAIMS = core('persistentvolumeclaims');
export const PODS = core('pods');
export const POD_TEMPLATES = core('podtemplates');
export const REPLICATION_CONTROLLERS = core('replicationcontrollers');
export const RESOURCE_QUOTAS = core('resourcequotas');
export const SECRETS = core('secrets');
export const SERVICES = core('services');
export const SERVICE_ACCOUNTS = core('serviceaccounts');

export const CONTROLLER_REVISIONS = apps('controllerrevisions');
export const DAEMON_SETS = apps('daemonsets');
export const DEPLOYMENTS = apps('deployments');
export const REPLICA_SETS = apps('replicasets');
export const STATEFUL_SETS = apps('statefulsets');

export const JOBS = ref('batch', 'v1', 'jobs');
export const CRON_JOBS = ref('batch', 'v1', 'cronjobs');
export const LEASES = ref('coordination.k8s.io', 'v1', 'leases');
export const ENDPOINT_SLICES = ref('discovery.k8s.io', 'v1', 'endpointslices');
export const HORIZONTAL_POD_AUTOSCALERS = ref('autoscaling', 'v2', 'horizontalpodautoscalers');
export const INGRESSES = ref('networking.k8s.io', 'v1', 'ingresses');
export const NETWORK_POLICIES = ref('networking.k8s.io', 'v1', 'networkpolicies');
export const POD_DISRUPTION_BUDGETS = ref('policy', 'v1', 'poddisruptionbudgets');
export const PRIORITY_CLASSES = ref('scheduling.k8s.io', 'v1', 'priorityclasses', true);
export const RUNTIME_CLASSES = ref('node.k8s.io', 'v1', 'runtimeclasses', true);

export const CLUSTER_ROLES = rbac('clusterroles', true);
export const CLUSTER_ROLE_BINDINGS = rbac('clusterrolebindings', true);
export const ROLES_RBAC = rbac('roles');
export const ROLE_BINDINGS = rbac('rolebindings');

export const STORAGE_CLASSES = storage('storageclasses');
export const CSI_DRIVERS = storage('csidrivers');
export const CSI_NODES = storage('csinodes');
export const VOLUME_ATTACHMENTS = storage('volumeattachments');

export const CERTIFICATE_SIGNING_REQUESTS = ref('certificates.k8s.io', 'v1', 'certificatesigningrequests', true);
export const CUSTOM_RESOURCE_DEFINITIONS = ref('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', true);
export const TOKEN_REVIEWS = ref('authentication.k8s.io', 'v1', 'tokenreviews', true);
export const SUBJECT_ACCESS_REVIEWS = ref('authorization.k8s.io', 'v1', 'subjectaccessreviews', true);
