/**
 * The SDK: what a plugin author imports.
 *
 * A plugin is an npm package with a `kubernel` manifest. Its entry exports what {@link definePlugin} returns: a role it
 * plays (see `roles/`), a name, and hooks, of which only `start` is needed. `start` receives a {@link PluginContext}:
 * config, logs, metrics, a Kubernetes client under the plugin's own identity, and the roles it requires.
 *
 * `@kubernel/sdk/client` has informers, work queues and reconcilers; `@kubernel/sdk/api` the shapes of objects, quantities,
 * selectors and validation errors; `@kubernel/sdk/testing` a kernel in memory; `@kubernel/sdk/tck` the conformance kits.
 */
export * from './define.ts';
export * from './errors.ts';
export * from './manifest.ts';
export * from './roles/index.ts';
