import type { Decoded, FieldPath } from '@kubernel/sdk/api';

/** All containers of a pod: init, regular, ephemeral, in the order upstream visits them. */
export function eachContainer(spec: Decoded, path: FieldPath, visit: (container: Decoded, path: FieldPath) => void): void {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    (spec[list] ?? []).forEach((container: Decoded, i: number) => {
      visit(container, path.child(list).index(i));
    });
  }
}
