import { KubernelError } from '@kubernel/sdk';

/** The codes this package throws, with what a person can do about each. */
export const configInvalid = (file: string, problems: string[]): KubernelError =>
  new KubernelError('ERR_CONFIG_INVALID', problems.join('\n'), {
    subject: file,
    hint: 'see docs/compose.md for what a config file may hold',
  });

export const pluginNotFound = (id: string, hint: string): KubernelError =>
  new KubernelError('ERR_PLUGIN_NOT_FOUND', `no installed package provides ${id}`, { subject: id, hint });

export const pluginVersion = (id: string, found: string, wanted: string): KubernelError =>
  new KubernelError('ERR_PLUGIN_VERSION', `${id} is installed in version ${found}, the config asks for ${wanted}`, {
    subject: id,
    hint: 'install a version in that range, or change the range',
  });

export const pluginCycle = (path: string[]): KubernelError =>
  new KubernelError('ERR_PLUGIN_CYCLE', `plugins require each other in a circle: ${path.join(' -> ')}`, {
    subject: path[0] ?? '',
    hint: 'make one of these requirements optional',
  });

export const roleUnavailable = (role: string, reason: string): KubernelError =>
  new KubernelError('ERR_ROLE_UNAVAILABLE', `nobody serves ${role} now: ${reason}`, {
    subject: role,
    hint: '`kubernel status` names the plugin and what it waits for',
  });

export const startTimeout = (id: string, ms: number): KubernelError =>
  new KubernelError('ERR_PLUGIN_START_TIMEOUT', `${id} did not start in ${ms} ms`, {
    subject: id,
    hint: 'raise limits.startMs in its manifest, or look at its logs',
  });

export const isolateGone = (name: string, reason: string): KubernelError =>
  new KubernelError('ERR_ISOLATE_GONE', `isolate ${name} ended: ${reason}`, { subject: name });

export const dataDirInUse = (dir: string, pid: number): KubernelError =>
  new KubernelError('ERR_DATA_DIR_IN_USE', `another kernel (pid ${pid}) runs on ${dir}`, {
    subject: dir,
    hint: 'stop it with `kubernel down`, or choose another directory with --data-dir',
  });

export const notRunning = (dir: string): KubernelError =>
  new KubernelError('ERR_NOT_RUNNING', `no cluster runs on ${dir}`, {
    subject: dir,
    hint: 'start one with `npm run up`, or name its directory with --data-dir',
  });
