import type { ApiReader, Authorizer, AuthzAttributes, AuthzDecision } from '@kubernel/sdk';
import { NodeGraph } from './graph.ts';

const PREFIX = 'system:node:';
const LEASES = 'kube-node-lease';
const READ = ['get', 'list', 'watch'];
const OWN = ['get', 'create', 'update', 'patch', 'delete'];

/** What every node may do that is not about one object. Verbs by `group/resource`. */
const COMMON: Readonly<Record<string, readonly string[]>> = {
  'authentication.k8s.io/tokenreviews': ['create'],
  'authorization.k8s.io/subjectaccessreviews': ['create'],
  'authorization.k8s.io/localsubjectaccessreviews': ['create'],
  '/services': READ,
  '/endpoints': ['get'],
  '/events': ['create', 'patch', 'update'],
  'events.k8s.io/events': ['create', 'patch', 'update'],
  'certificates.k8s.io/certificatesigningrequests': ['create', ...READ],
  'storage.k8s.io/csidrivers': READ,
  'node.k8s.io/runtimeclasses': READ,
  'resource.k8s.io/resourceslices': ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
};

const ALLOW: AuthzDecision = { decision: 'allow' };
const no = (reason?: string): AuthzDecision => ({ decision: 'no-opinion', ...(reason ? { reason } : {}) });

/** A node may read its pods and what they refer to. https://kubernetes.io/docs/reference/access-authn-authz/node/ (KEP-4601) */
export function nodeAuthorizer(): Authorizer {
  let reader: ApiReader | undefined;
  let graph: NodeGraph | undefined;
  return {
    init(apiReader) {
      reader = apiReader;
    },
    authorize(attributes) {
      const { user } = attributes;
      if (!user.name.startsWith(PREFIX) || !user.groups.includes('system:nodes') || !reader) return no();
      const node = user.name.slice(PREFIX.length);
      if (node === '') return no(`unknown node for user ${JSON.stringify(user.name)}`);
      if (!attributes.resourceRequest) return no();
      graph ??= new NodeGraph(reader);
      return decide(node, attributes, graph);
    },
  };
}

function decide(node: string, a: AuthzAttributes, graph: NodeGraph): AuthzDecision {
  switch (`${a.group}/${a.resource}`) {
    case '/secrets':
    case '/configmaps':
      if (!READ.includes(a.verb)) return no('can only read resources of this type');
      if (a.subresource) return no('cannot read subresource');
      return a.namespace ? related(node, a, graph) : no('can only read namespaced object of this type');
    case '/persistentvolumeclaims':
      if (a.subresource !== 'status') return individual(node, a, graph);
      return ['get', 'update', 'patch'].includes(a.verb) ? related(node, a, graph) : no('can only get/update/patch this type');
    case '/persistentvolumes':
    case 'storage.k8s.io/volumeattachments':
    case 'resource.k8s.io/resourceclaims':
      return individual(node, a, graph);
    case '/serviceaccounts':
      if (a.verb === 'get' && !a.subresource) return related(node, a, graph);
      return a.verb === 'create' && a.subresource === 'token'
        ? related(node, a, graph)
        : no('can only create tokens for individual service accounts');
    case 'coordination.k8s.io/leases':
      return lease(node, a);
    case 'storage.k8s.io/csinodes':
      if (!OWN.includes(a.verb)) return no('can only get, create, update, patch, or delete a CSINode');
      if (a.subresource) return no('cannot authorize CSINode subresources');
      return a.verb === 'create' || a.name === node ? ALLOW : no('can only access CSINode with the same name as the requesting node');
    case '/nodes':
      return nodes(node, a);
    case '/pods':
      return pods(node, a, graph);
    default:
      return a.subresource === '' && COMMON[`${a.group}/${a.resource}`]?.includes(a.verb) ? ALLOW : no();
  }
}

function related(node: string, { resource, namespace, name }: AuthzAttributes, graph: NodeGraph): AuthzDecision {
  if (!name) return no('No Object name found');
  return graph.reaches(node, resource, namespace, name) ? ALLOW : no(`no relationship found between node '${node}' and this object`);
}

function individual(node: string, a: AuthzAttributes, graph: NodeGraph): AuthzDecision {
  if (a.verb !== 'get') return no('can only get individual resources of this type');
  return a.subresource ? no('cannot get subresource') : related(node, a, graph);
}

function lease(node: string, { verb, namespace, name }: AuthzAttributes): AuthzDecision {
  if (!OWN.includes(verb)) return no('can only get, create, update, patch, or delete a node lease');
  if (namespace !== LEASES) return no(`can only access leases in the ${JSON.stringify(LEASES)} system namespace`);
  return verb === 'create' || name === node ? ALLOW : no('can only access node lease with the same name as the requesting node');
}

/** Writes are narrowed down to the own node by admission, which sees the object. */
function nodes(node: string, { verb, subresource, name, fieldSelector }: AuthzAttributes): AuthzDecision {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : no('can only update/patch status');
  if (subresource !== '') return no();
  if (verb === 'create' || verb === 'update' || verb === 'patch') return ALLOW;
  if (!READ.includes(verb)) return no();
  if (name === node || selects(fieldSelector, 'metadata.name', node)) return ALLOW;
  return no(`node '${node}' cannot read ${verb === 'get' ? `'${name}', only its own Node object` : 'all nodes, only its own Node object'}`);
}

function pods(node: string, a: AuthzAttributes, graph: NodeGraph): AuthzDecision {
  if (a.subresource === 'status') return a.verb === 'update' || a.verb === 'patch' ? ALLOW : no('can only update/patch status');
  if (a.subresource === 'eviction') return a.verb === 'create' ? ALLOW : no();
  if (a.subresource !== '') return no();
  if (a.verb === 'create' || a.verb === 'delete') return ALLOW;
  if (a.verb === 'get') return related(node, a, graph);
  if (a.verb !== 'list' && a.verb !== 'watch') return no();
  return selects(a.fieldSelector, 'spec.nodeName', node) ? ALLOW : no('can only list/watch pods with spec.nodeName field selector');
}

function selects(selector: string | undefined, field: string, value: string): boolean {
  return selector?.split(',').some((term) => term === `${field}=${value}` || term === `${field}==${value}`) ?? false;
}
