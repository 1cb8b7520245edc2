import type { LogFields, Logger, RoleName } from '@kubernel/sdk';
import type { HostControl, LogLevel } from '@kubernel/sdk/isolate';
import { transferring } from '@kubernel/sdk/rpc';

export interface LogSink {
  log(level: LogLevel, plugin: string, message: string, fields: LogFields | undefined): void;
}

interface Broker {
  connect(from: string, role: RoleName, name: string | undefined): Promise<unknown>;
  report(id: string, state: 'degraded' | 'ok', reason: string): void;
}

/** The host as isolates call it. */
export function hostControl(broker: Broker, sink: LogSink): HostControl {
  return {
    connect: async (from, role, name) => {
      const port = await broker.connect(from, role, name);
      return transferring(port, [port]) as never;
    },
    log: (level, id, message, fields) => sink.log(level, id, message, fields),
    report: (id, state, reason) => broker.report(id, state, reason),
  };
}

/** A part of the kernel logs as plugins do, under a name of its own. */
export function kernelLog(sink: LogSink, id: string): Logger {
  const write =
    (level: LogLevel): Logger['info'] =>
    (message, fields) =>
      sink.log(level, id, message, fields);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
