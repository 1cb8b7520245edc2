/** What tests of plugins are written with. */
export * from './fake-api.ts';
