import { pino } from 'pino';
import type { LogSink } from '../host/host-control.ts';

/** JSON lines in a file; warnings and errors also on the terminal, short. */
export async function createLog(file: string, level: string): Promise<LogSink> {
  const logger = pino({ level, base: null }, pino.destination({ dest: file, mkdir: true, mode: 0o600, sync: false }));
  return {
    log(severity, plugin, message, fields) {
      logger[severity]({ plugin, ...fields }, message);
    },
  };
}
