import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ContainerStatus } from '@kubernel/sdk';
import { TERMINATION_FILE, TERMINATION_POLICY } from './labels.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/**
 * What a container left to say about its end: the termination message file, or, by policy, the end of its log when it
 * failed without one. https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
export function terminationMessage(container: ContainerStatus): string {
  const { [TERMINATION_FILE]: file = '', [TERMINATION_POLICY]: policy } = container.annotations;
  const written = file ? endOf(file, MAX_MESSAGE_BYTES, 'start') : '';
  if (written) return written;
  if (policy === 'FallbackToLogsOnError' && container.exitCode !== 0 && container.logPath) {
    return logText(endOf(container.logPath, MAX_LOG_BYTES + MAX_LOG_LINES * 50, 'end')).slice(-MAX_LOG_BYTES);
  }
  // What the runtime itself could not do: a command that is not there, for one.
  return container.message;
}

function endOf(file: string, bytes: number, which: 'start' | 'end'): string {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(handle);
    const length = Math.min(bytes, size);
    const buffer = Buffer.alloc(length);
    readSync(handle, buffer, 0, length, which === 'end' ? size - length : 0);
    return buffer.toString();
  } finally {
    closeSync(handle);
  }
}

/** CRI's log lines (`time stream tag text`) as the container wrote them; a line cut at the start is left out. */
function logText(text: string): string {
  return text
    .split('\n')
    .slice(-MAX_LOG_LINES - 1)
    .map((line) => /^\S+ std(?:out|err) ([FP]) (.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => match[2]! + (match[1] === 'F' ? '\n' : ''))
    .join('');
}
