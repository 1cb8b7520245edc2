import { KubernelError } from '@kubernel/sdk';

export function cniMissing(binary: string, dirs: readonly string[]): KubernelError {
  return new KubernelError('ERR_CNI_MISSING', `the CNI plugin ${binary} is not in ${dirs.join(' or ')}`, {
    subject: 'cni/exec',
    hint: 'run: apt-get install containernetworking-plugins iptables   (or name a directory in config.binDirs)',
  });
}

export function cniNotConfigured(): KubernelError {
  return new KubernelError('ERR_CNI_NOT_CONFIGURED', 'the node has no pod addresses yet', {
    subject: 'cni/exec',
    hint: 'the Node needs spec.podCIDR: run a controller that allocates node CIDRs, or set podCIDR in the kubelet',
  });
}

export function cniFailed(plugin: string, command: string, reason: string): KubernelError {
  return new KubernelError('ERR_CNI', `CNI ${command} by ${plugin}: ${reason}`, { subject: 'cni/exec' });
}
