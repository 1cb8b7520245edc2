import { goJson, PrintedValue } from '@kubernel/sdk/api';
import { types } from '../types.ts';
import { unifiedDiff } from './difference.ts';

/**
 * Objects as upstream prints them in "Invalid value": in its internal form, where fields have their Go names and
 * absent ones are spelt out. Made from the type tables; what the internal types name or order differently is listed here.
 */

/** JSON name -> Go name, where it is not just the capitalised JSON name. */
const NAMES: Readonly<Record<string, string>> = {
  tty: 'TTY',
  uid: 'UID',
  seLinuxOptions: 'SELinuxOptions',
  seLinuxChangePolicy: 'SELinuxChangePolicy',
  fsGroup: 'FSGroup',
  fsGroupChangePolicy: 'FSGroupChangePolicy',
  dnsPolicy: 'DNSPolicy',
  dnsConfig: 'DNSConfig',
  os: 'OS',
  httpGet: 'HTTPGet',
  grpc: 'GRPC',
  tcpSocket: 'TCPSocket',
  httpHeaders: 'HTTPHeaders',
  apiVersion: 'APIVersion',
  ip: 'IP',
  nfs: 'NFS',
  rbd: 'RBD',
  iscsi: 'ISCSI',
  csi: 'CSI',
  fc: 'FC',
  cephfs: 'CephFS',
  storageos: 'StorageOS',
  awsElasticBlockStore: 'AWSElasticBlockStore',
  gcePersistentDisk: 'GCEPersistentDisk',
  pdName: 'PDName',
  fsType: 'FSType',
  gmsaCredentialSpecName: 'GMSACredentialSpecName',
  gmsaCredentialSpec: 'GMSACredentialSpec',
  setHostnameAsFQDN: 'SetHostnameAsFQDN',
  iqn: 'IQN',
  targetWWNs: 'TargetWWNs',
  wwids: 'WWIDs',
  diskURI: 'DataDiskURI',
  chapAuthDiscovery: 'DiscoveryCHAPAuth',
  chapAuthSession: 'SessionCHAPAuth',
  iscsiInterface: 'ISCSIInterface',
  endpoints: 'EndpointsName',
  monitors: 'CephMonitors',
  image: 'Image',
  pdID: 'PdID',
};
/** Fields of a pod that the internal PodSpec keeps in its security context. */
const HOST_FIELDS = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'];
const POINTER_FIRST: Readonly<Record<string, readonly string[]>> = {
  'core.v1.PodSecurityContext': HOST_FIELDS,
};

export function printGoForm(type: string, value: unknown): PrintedValue {
  return new PrintedValue(goJson(goForm(type, value)));
}

/** What changed between two values, in the form that {@link printGoForm} prints, one field to a line. */
export function goDifference(type: string, before: unknown, after: unknown, only?: readonly string[]): string {
  const text = (value: unknown): string => {
    const form = goForm(type, value) as Record<string, unknown>;
    const names = only?.map(goName) ?? Object.keys(form);
    return goJson(Object.fromEntries(Object.entries(form).filter(([name]) => names.includes(name))), 1);
  };
  return unifiedDiff(text(before), text(after));
}

const goName = (name: string): string => NAMES[name] ?? `${name[0]?.toUpperCase()}${name.slice(1)}`;

function goForm(type: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (type.startsWith('[]')) return (value as unknown[]).length ? (value as unknown[]).map((item) => goForm(type.slice(2), item)) : null;
  if (type.startsWith('{}')) return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (!types[type]) return value;
  if (type === 'meta.v1.ObjectMeta') return value;
  let object = value as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  if (type === 'core.v1.PodSpec') object = withHostFields(object);
  if (type === 'core.v1.PodTemplateSpec') Object.assign(out, object.metadata ?? {});
  for (const [name, [fieldType, , flags]] of fieldsOf(type)) {
    if (name === 'metadata' && type === 'core.v1.PodTemplateSpec') continue;
    const field = object[name];
    out[goName(name)] = field === undefined ? zeroOf(fieldType, flags.includes('p')) : goForm(fieldType, field);
  }
  return out;
}

/** Fields that the internal type has at another place: right behind which. */
const MOVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'core.v1.PodSpec': { setHostnameAsFQDN: 'subdomain', preemptionPolicy: 'priority', overhead: 'runtimeClassName' },
  'core.v1.PodSecurityContext': { fsGroupChangePolicy: 'fsGroup' },
  'core.v1.Volume': { quobyte: 'rbd', flexVolume: 'quobyte' },
  'core.v1.PersistentVolumeSpec': { quobyte: 'rbd', flexVolume: 'iscsi' },
};

type Field = [string, readonly [string, number, string, ...unknown[]]];

function fieldsOf(type: string): Field[] {
  const fields = Object.entries(types[type] ?? {}) as Field[];
  for (const [name, behind] of Object.entries(MOVED[type] ?? {})) {
    const from = fields.findIndex(([field]) => field === name);
    const moved = fields.splice(from, from < 0 ? 0 : 1);
    fields.splice(fields.findIndex(([field]) => field === behind) + 1, 0, ...moved);
  }
  if (type === 'core.v1.PodSpec') return fields.filter(([name]) => !HOST_FIELDS.includes(name) && name !== 'serviceAccount');
  const first = POINTER_FIRST[type];
  if (!first) return fields;
  const host = Object.entries(types['core.v1.PodSpec'] ?? {}).filter(([name]) => first.includes(name)) as typeof fields;
  return [...host.sort((a, b) => first.indexOf(a[0]) - first.indexOf(b[0])), ...fields];
}

function withHostFields(spec: Record<string, unknown>): Record<string, unknown> {
  const context: Record<string, unknown> = { ...((spec.securityContext as object) ?? {}) };
  for (const name of HOST_FIELDS) if (spec[name] !== undefined) context[name] = spec[name];
  return { ...spec, securityContext: Object.keys(context).length || spec.securityContext ? context : undefined };
}

function zeroOf(type: string, pointer: boolean): unknown {
  if (pointer || type.startsWith('[]') || type.startsWith('{}') || type === 'bytes' || type === 'time') return null;
  if (type === 'string') return '';
  if (type === 'bool') return false;
  if (type === 'quantity') return '0';
  if (/^(int|float)/.test(type) || type === 'intorstring') return 0;
  return types[type] ? goForm(type, {}) : null;
}
