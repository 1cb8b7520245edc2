/** What nobody else deletes: objects without owners, pods without nodes. */
import { garbageCollector } from './collector.ts';
import { podGc } from './pod-gc.ts';

export default [garbageCollector, podGc];
