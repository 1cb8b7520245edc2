import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProcessPorts } from '../../isolate/process-ports.ts';
import { controlOver, type Isolate, type IsolateOptions } from './isolate.ts';

const MAIN = fileURLToPath(new URL('../../isolate/process-main.js', import.meta.url));

/** A child process: its heap limit is hard, and its crash is its own, at the price of a pipe for each message. */
export function startProcess({ name, heapMb, host }: IsolateOptions): Isolate {
  const child = fork(MAIN, [], {
    serialization: 'advanced',
    execArgv: heapMb ? [`--max-old-space-size=${heapMb}`] : [],
    env: { ...process.env, KUBERNEL_ISOLATE: name },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ports = new ProcessPorts({
    send: (message) => {
      if (child.connected) child.send(message as object);
    },
    onMessage: (listener) => void child.on('message', listener),
    onClose: (listener) => void child.on('disconnect', listener),
  });
  const { service, accept } = controlOver(ports.main, host);
  let reason: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => resolve(reason ?? (signal ? `killed by ${signal}` : `exit code ${code}`)));
    child.on('error', (error) => resolve(error.message));
  });
  return {
    name,
    kind: 'process',
    service,
    accept,
    ended,
    async terminate(why) {
      reason = why;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
