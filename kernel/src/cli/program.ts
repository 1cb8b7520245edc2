import { Command, Option } from 'commander';
import { exitCodeOf, printError } from './output.ts';

/** A command's module is imported when the command is run: `up` starts a third sooner without what only the others need. */
function command<A extends unknown[]>(load: () => Promise<(...args: A) => unknown>): (...args: A) => Promise<void> {
  return async (...args) => void (await (await load())(...args));
}

const dataDir = () => new Option('--data-dir <dir>', 'where the cluster keeps everything').default('.kubernel').env('KUBERNEL_DATA_DIR');
const output = () => new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text');

const program = new Command('kubernel')
  .description('Kubernetes as a microkernel: composes a cluster from the plugins a config file names.')
  .addHelpText(
    'after',
    '\nExamples:\n  kubernel up                              start a cluster, stop it with Ctrl-C\n  kubernel up --config config/dev.yaml     simulated nodes, no privileges needed\n  kubernel status                          what runs, and how it does\n\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no cluster runs, 4 it runs but is not healthy.',
  )
  .exitOverride()
  .showHelpAfterError('(try --help)');

program
  .command('up')
  .description('start a cluster and keep it running until Ctrl-C')
  .option('--config <file>', 'what to compose (default: config/standalone.yaml where it can run, else config/dev.yaml)')
  .addOption(dataDir())
  .option('--port <n>', 'port of the API server, 0 for any free one', Number)
  .option('--detach', 'return when the cluster is ready and leave it running')
  .addOption(new Option('--log <level>', 'what to log').choices(['debug', 'info', 'warn', 'error']).default('warn'))
  .addHelpText(
    'after',
    '\nExamples:\n  kubernel up\n  kubernel up --config my-cluster.yaml --data-dir /var/lib/kubernel --port 6443 --detach',
  )
  .action(command(async () => (await import('./commands/up.ts')).up));

program
  .command('down')
  .description('stop the cluster of a data directory')
  .addOption(dataDir())
  .addHelpText('after', '\nExample:\n  kubernel down --data-dir .kubernel')
  .action(command(async () => (await import('./commands/down.ts')).down));

program
  .command('status')
  .description('plugins, isolates and health of a running cluster')
  .addOption(dataDir())
  .addOption(output())
  .addHelpText('after', '\nExamples:\n  kubernel status\n  kubernel status --output json | jq .plugins[].state')
  .action(command(async () => (await import('./commands/status.ts')).status));

program
  .command('doctor')
  .description('explain what this machine lacks for real containers')
  .option('--install', 'install the missing Debian packages (root only)')
  .addOption(output())
  .addHelpText('after', '\nExamples:\n  kubernel doctor\n  sudo kubernel doctor --install')
  .action(command(async () => (await import('./commands/doctor.ts')).doctor));

program
  .command('kubeconfig')
  .description('print the administrator kubeconfig of a running cluster')
  .addOption(dataDir())
  .option('--path', 'print where the file is rather than its content')
  .addHelpText('after', '\nExample:\n  export KUBECONFIG=$(kubernel kubeconfig --path)')
  .action(command(async () => (await import('./commands/kubeconfig.ts')).kubeconfig));

const image = program.command('image').description('images of the cluster’s container runtime');
image
  .command('load <file>')
  .description('load an OCI or docker archive')
  .addOption(dataDir())
  .addOption(output())
  .addHelpText('after', '\nExample:\n  kubernel image load app.tar')
  .action(command(async () => (await import('./commands/image.ts')).imageLoad));
image
  .command('build <dir>')
  .description('make an image archive of a folder with an image.json (files, entrypoint) and load it')
  .addOption(dataDir())
  .requiredOption('--tag <name>', 'name of the image, such as registry.local/app:1')
  .option('--file <tar>', 'write the archive here rather than load it')
  .addHelpText('after', '\nExample:\n  kubernel image build ./app --tag registry.local/app:1')
  .action(command(async () => (await import('./commands/image.ts')).imageBuild));
image
  .command('ls')
  .description('list images')
  .addOption(dataDir())
  .addOption(output())
  .action(command(async () => (await import('./commands/image.ts')).imageLs));

const snapshot = program.command('snapshot').description('copies of the cluster’s data');
snapshot
  .command('save <file>')
  .description('write a consistent copy while the cluster runs')
  .addOption(dataDir())
  .addHelpText('after', '\nExample:\n  kubernel snapshot save backup.db')
  .action(command(async () => (await import('./commands/snapshot.ts')).snapshotSave));
snapshot
  .command('restore <file>')
  .description('replace the data of a stopped cluster by a copy')
  .addOption(dataDir())
  .option('--force', 'replace data that is there')
  .addHelpText('after', '\nExample:\n  kubernel down && kubernel snapshot restore backup.db --force && kubernel up')
  .action(command(async () => (await import('./commands/snapshot.ts')).snapshotRestore));

const plugin = program.command('plugin').description('plugins');
plugin
  .command('ls')
  .description('list the plugins that are installed and what they provide')
  .addOption(output())
  .addHelpText('after', '\nExample:\n  kubernel plugin ls')
  .action(command(async () => (await import('./commands/plugin.ts')).pluginLs));

program
  .command('version')
  .description('print the version')
  .addOption(output())
  .action(command(async () => (await import('./commands/version.ts')).version));

/** Runs what the command line says; sets the exit code. */
export async function main(): Promise<void> {
  // A reader that went away (`kubernel status | head`) is no reason to end, least of all for a cluster that prints to it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    const { code, exitCode } = error as { code?: string; exitCode?: number };
    // commander has printed its own; help and version are no errors.
    if (!code?.startsWith('commander.')) printError(error);
    process.exitCode = exitCode === 0 ? 0 : exitCodeOf(error);
  }
}
