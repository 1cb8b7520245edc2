import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { delimiter, join } from 'node:path';

/** The plugin's config (config.schema.json). */
export interface ContainerdConfig {
  /** An existing runtime's socket: nothing is started then. */
  socket?: string;
  /** Path or name of the containerd binary. */
  containerd?: string;
  /** `runc`, `crun` or a path. Default: crun where it can run, else runc. */
  ociRuntime?: string;
  snapshotter?: string;
  /** Without a cni/v1 plugin. */
  cni?: { confDir?: string; binDir?: string };
  /** Registry host -> where to pull from instead, in order. */
  registries?: Record<string, { mirrors: RegistryMirror[] }>;
  /** Further entries of containerd's configuration, appended as they are (TOML). */
  extraConfig?: string;
}

export interface RegistryMirror {
  /** `http://127.0.0.1:5000`. */
  url: string;
  skipVerify?: boolean;
  /** PEM file. */
  ca?: string;
}

/** Where one containerd of ours keeps everything. */
export interface Layout {
  /** Images, snapshots, container records. */
  root: string;
  state: string;
  socket: string;
  configFile: string;
  pidFile: string;
  logFile: string;
  certsDir: string;
}

/** sun_path holds 108 bytes with its NUL, and containerd adds `.ttrpc` to the socket's name. */
const SOCKET_PATH_MAX = 108 - 1 - '.ttrpc'.length;

export function layout(pluginDir: string): Layout {
  let socket = join(pluginDir, 'containerd.sock');
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX) {
    socket = `/run/kubernel/${createHash('sha256').update(pluginDir).digest('hex').slice(0, 12)}/containerd.sock`;
  }
  return {
    root: join(pluginDir, 'root'),
    state: join(pluginDir, 'state'),
    socket,
    configFile: join(pluginDir, 'containerd.toml'),
    pidFile: join(pluginDir, 'containerd.pid'),
    logFile: join(pluginDir, 'containerd.log'),
    certsDir: join(pluginDir, 'certs.d'),
  };
}

/** sbin directories are missing from many users' PATH, and CNI plugins look for iptables there. */
export const SEARCH_PATH = [
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
]
  .filter((dir, index, all) => dir && all.indexOf(dir) === index)
  .join(delimiter);

export function findBinary(name: string): string | undefined {
  const candidates = name.includes('/') ? [name] : SEARCH_PATH.split(delimiter).map((dir) => join(dir, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What of the machine decides over containerd's configuration. */
export interface Machine {
  /** Both hierarchies mounted, v1 in charge. crun refuses to work there. */
  hybridCgroups: boolean;
  /** May lower a process's oom_score_adj. Missing in many containers and CI runners; runc then fails to start a sandbox. */
  capSysResource: boolean;
  apparmor: boolean;
}

const CAP_SYS_RESOURCE = 24n;

export function inspectMachine(): Machine {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(read('/proc/self/status'))?.[1] ?? '0';
  return {
    hybridCgroups: existsSync('/sys/fs/cgroup/unified') && !existsSync('/sys/fs/cgroup/cgroup.controllers'),
    capSysResource: ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n,
    apparmor: read('/sys/module/apparmor/parameters/enabled').trim() === 'Y' && findBinary('apparmor_parser') !== undefined,
  };
}

export function chooseOciRuntime(config: ContainerdConfig, machine: Machine, find = findBinary): string | undefined {
  if (config.ociRuntime) return find(config.ociRuntime);
  return (machine.hybridCgroups ? undefined : find('crun')) ?? find('runc') ?? undefined;
}

export interface TomlInput {
  layout: Layout;
  config: ContainerdConfig;
  machine: Machine;
  ociRuntime: string;
  cni: { confDir: string; binDir: string };
  pauseImage: string;
}

/** containerd 1.6 and 1.7 read version 2 as it is; 2.x migrates it when it loads. */
export function containerdToml({ layout, config, machine, ociRuntime, cni, pauseImage }: TomlInput): string {
  const s = JSON.stringify;
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `# Written by cri/containerd on each start.
version = 2
root = ${s(layout.root)}
state = ${s(layout.state)}
disabled_plugins = ["io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = ${s(layout.socket)}

[${cri}]
  sandbox_image = ${s(pauseImage)}
  restrict_oom_score_adj = ${!machine.capSysResource}
  disable_apparmor = ${!machine.apparmor}
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  max_container_log_line_size = 16384
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[${cri}.cni]
  conf_dir = ${s(cni.confDir)}
  bin_dir = ${s(cni.binDir)}
  max_conf_num = 1

[${cri}.containerd]
  snapshotter = ${s(config.snapshotter ?? 'overlayfs')}
  default_runtime_name = "default"

[${cri}.containerd.runtimes.default]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.default.options]
  BinaryName = ${s(ociRuntime)}
  Root = ${s(join(layout.state, 'oci'))}
  SystemdCgroup = false

[${cri}.registry]
  config_path = ${s(layout.certsDir)}
${config.extraConfig ?? ''}`;
}

/** certs.d files by registry host, as containerd's config_path reads them. */
export function hostsToml(host: string, mirrors: readonly RegistryMirror[]): string {
  const lines = [`server = ${JSON.stringify(host === 'docker.io' ? 'https://registry-1.docker.io' : `https://${host}`)}`];
  for (const mirror of mirrors) {
    lines.push('', `[host.${JSON.stringify(mirror.url)}]`, '  capabilities = ["pull", "resolve"]');
    if (mirror.skipVerify) lines.push('  skip_verify = true');
    if (mirror.ca) lines.push(`  ca = ${JSON.stringify(mirror.ca)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** OCI's names of processor architectures. */
export function ociArchitecture(): string {
  return (
    (
      { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386', riscv64: 'riscv64', ppc64: 'ppc64le', s390x: 's390x' } as Record<
        string,
        string
      >
    )[arch()] ?? arch()
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
