/** What tests of plugins are written with. */
export * from './fake-api.ts';
export * from './fake-context.ts';
export * from './harness.ts';
export * from './policy-bench.ts';
export * from './reader.ts';
export * from './test-kernel.ts';
