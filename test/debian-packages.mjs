// Debian packages that the end-to-end tests use, and why. As root they are installed; otherwise the tests that need them
// are skipped by name.
import { spawnSync } from 'node:child_process';

const PACKAGES = {
  containerd: 'runs containers',
  runc: 'starts containers',
  'containernetworking-plugins': 'connects pods to a bridge',
  iptables: 'port mapping and masquerading of pods',
  iproute2: 'network namespaces of test hosts',
  'busybox-static': 'the images of the tests',
  unzip: 'unpacks kubectl and helm',
  curl: 'asks the kubelet without a certificate',
};

export function installDebianPackages() {
  const missing = Object.keys(PACKAGES).filter((name) => !installed(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    console.log(`Not installed, and not to be installed here: ${missing.join(', ')}. Tests that need them are skipped.`);
    return;
  }
  console.log('Installing Debian packages for the tests:');
  for (const name of missing) console.log(`  ${name}: ${PACKAGES[name]}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const update = spawnSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const install =
    update.status === 0 &&
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (install?.status !== 0) console.log('apt-get failed; tests that need these packages are skipped.');
}

function installed(name) {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return status === 0 && stdout === 'installed';
}
