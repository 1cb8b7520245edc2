/**
 * The JSON Schema of a cluster config file. config/cluster.schema.json is this, written out for editors, and
 * docs/compose.md's reference is made from its descriptions.
 */
const rule = {
  type: 'object',
  additionalProperties: false,
  required: ['verbs'],
  properties: {
    apiGroups: { type: 'array', items: { type: 'string' } },
    resources: { type: 'array', items: { type: 'string' } },
    resourceNames: { type: 'array', items: { type: 'string' } },
    nonResourceURLs: { type: 'array', items: { type: 'string' } },
    verbs: { type: 'array', items: { type: 'string' }, minItems: 1 },
  },
} as const;

const cidrs = (description: string) => ({
  type: 'array',
  items: { type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]+$' },
  minItems: 1,
  maxItems: 2,
  description,
});

export const CLUSTER_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://kubernel.dev/schemas/v1alpha1/cluster.json',
  title: 'Kubernel cluster',
  description: 'Composes a cluster: which plugins run, where, and with what config.',
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { const: 'kubernel.dev/v1alpha1' },
    kind: { const: 'Cluster' },
    metadata: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: {
        name: {
          type: 'string',
          pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$',
          description: 'Name of the cluster; also its name in the kubeconfig.',
        },
      },
    },
    spec: {
      type: 'object',
      additionalProperties: false,
      required: ['plugins'],
      properties: {
        cluster: {
          type: 'object',
          additionalProperties: false,
          description: 'Settings that many plugins share.',
          properties: {
            clusterDomain: { type: 'string', description: 'DNS domain of the cluster. Default `cluster.local`.' },
            serviceCIDRs: cidrs('Where service addresses come from. Default `10.96.0.0/16`.'),
            podCIDRs: cidrs('Where pod addresses come from, a /24 for each node. Default `10.244.0.0/16`.'),
            clusterDNS: { type: 'array', items: { type: 'string' }, description: 'Addresses pods ask for names. Default `10.96.0.10`.' },
            nodePortRange: {
              type: 'array',
              prefixItems: [{ type: 'integer' }, { type: 'integer' }],
              items: false,
              minItems: 2,
              description: 'First and last node port. Default `[30000, 32767]`.',
            },
          },
        },
        store: {
          type: 'object',
          additionalProperties: false,
          properties: {
            historyMs: {
              type: 'integer',
              minimum: 1000,
              description: 'How long superseded values are kept, so that watches can resume, in milliseconds. Default 300000.',
            },
          },
        },
        election: {
          type: 'object',
          additionalProperties: false,
          properties: {
            mode: {
              enum: ['auto', 'lease', 'local'],
              description:
                '`lease`: by Lease objects. `local`: this kernel is the only one. Default `auto`: `lease` where the storage can be shared.',
            },
            leaseSeconds: { type: 'number', exclusiveMinimum: 0, description: 'How long a lease holds without renewal. Default 15.' },
            renewSeconds: {
              type: 'number',
              exclusiveMinimum: 0,
              description: 'A holder that cannot renew for this long steps down. Default 10.',
            },
            retrySeconds: { type: 'number', exclusiveMinimum: 0, description: 'Time between tries. Default 2.' },
          },
        },
        isolates: {
          type: 'object',
          description: 'Named isolates that several plugins share, to save memory. A crash takes down all plugins in it.',
          propertyNames: { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', not: { enum: ['thread', 'inline', 'process'] } },
          additionalProperties: {
            type: 'object',
            additionalProperties: false,
            required: ['kind'],
            properties: {
              kind: {
                enum: ['thread', 'inline', 'process'],
                description: '`thread`: a worker thread. `inline`: the kernel thread. `process`: a child process with a hard memory limit.',
              },
              heapMb: { type: 'integer', minimum: 8, description: 'Heap limit in MiB. Best effort for threads.' },
            },
          },
        },
        plugins: {
          type: 'object',
          description: 'The plugins, by what they provide: `storage/sqlite`, `api/core`, `controller/deployment`.',
          minProperties: 1,
          propertyNames: { pattern: '^[a-z][a-z0-9-]*/[a-z0-9][a-z0-9.-]*$' },
          additionalProperties: {
            type: ['object', 'null'],
            additionalProperties: false,
            properties: {
              package: {
                type: 'string',
                description: 'npm package that provides it, when it is not one of Kubernel’s own. Resolved from the config file’s folder.',
              },
              version: { type: 'string', description: 'semver range. Default `*`.' },
              enabled: { type: 'boolean', description: 'Default true.' },
              isolate: {
                type: 'string',
                description: '`thread`, `inline`, `process`, or a name from `isolates`. Default: what the plugin’s manifest says.',
              },
              config: { type: 'object', description: 'What the plugin’s README lists.' },
              permissions: {
                type: 'array',
                items: rule,
                description:
                  'API rules granted to the plugin. Default: what its manifest asks, for Kubernel’s own packages; nothing, for others.',
              },
            },
          },
        },
      },
    },
  },
} as const;
