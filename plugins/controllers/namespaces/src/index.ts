/** Empties namespaces that are being deleted. */
import { namespaceController } from './controller.ts';

export default [namespaceController];
