/** Deployments and replica sets: the controllers that keep pods running. */
import { deploymentController } from './deployment/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';

export default [deploymentController, replicaSetController];
