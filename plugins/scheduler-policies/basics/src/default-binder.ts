import { type SchedulerPolicy, type Status, StatusError } from '@kubernel/sdk';

/** Binds by POST to `pods/binding`. The body is written by hand: thousands of pods a second pass here. */
export const defaultBinder: SchedulerPolicy = {
  name: 'DefaultBinder',
  create: ({ client, cluster }) => ({
    async bind({ pod }, node) {
      const target = cluster.nodes.name(node);
      const { code, body } = await client.request({
        method: 'POST',
        path: `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/binding`,
        body:
          `{"apiVersion":"v1","kind":"Binding","metadata":{"name":${JSON.stringify(pod.name)},"namespace":${JSON.stringify(pod.namespace)},` +
          `"uid":${JSON.stringify(pod.uid)}},"target":{"kind":"Node","name":${JSON.stringify(target)}}}`,
      });
      if (code >= 300) throw statusError(code, body);
      return 'bound';
    },
  }),
};

function statusError(code: number, body: string): StatusError {
  try {
    return StatusError.from(JSON.parse(body) as Status);
  } catch {
    return new StatusError(code, 'InternalError', `the API answered a binding with ${code}: ${body.slice(0, 200)}`);
  }
}
