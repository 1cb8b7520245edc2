/** Calls, streams with credit, and cancellation over MessagePorts (or anything that behaves like one). */
export { callSignal, Channel, type CallOptions } from './channel.ts';
export { type Port, transferring, type Transferring } from './port.ts';
export { remote } from './proxy.ts';
