/** Calls, streams with credit, and cancellation over MessagePorts (or anything that behaves like one). */
export { type CallOptions, Channel, callSignal } from './channel.ts';
export { type Port, type Transferring, transferring } from './port.ts';
export { remote } from './proxy.ts';
