/** Where the traffic of services goes: endpoint slices, endpoints, and slices for endpoints that people write. */
import { endpointsController } from './endpoints/controller.ts';
import { mirroringController } from './endpoints/mirroring.ts';
import { endpointSliceController } from './slices/controller.ts';

export default [endpointSliceController, endpointsController, mirroringController];
