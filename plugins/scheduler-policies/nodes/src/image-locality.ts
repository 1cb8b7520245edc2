import { NodeChange, type PodInfo, type SchedulerPolicy } from '@kubernel/sdk';

const MB = 1024 * 1024;
const MIN_BYTES = 23 * MB;
const MAX_BYTES_PER_CONTAINER = 1000 * MB;
const CACHED_LISTS = 256;

/** Prefers nodes that hold the pod's images already; an image counts less where few nodes hold it, lest they be overrun. */
export const imageLocality: SchedulerPolicy = {
  name: 'ImageLocality',
  create: ({ cluster: { nodes } }) => {
    /** Image name -> slot -> bytes. */
    const images = new Map<string, Map<number, number>>();
    /** Slot -> names listed by its node. */
    const listed = new Map<number, string[]>();
    /** Images of a pod -> score of each slot, valid while nothing about images or the number of nodes has changed. */
    const cache = new Map<string, { version: number; scores: Float64Array }>();
    let version = 0;
    let wanted: string[] = [];

    function unlist(slot: number): void {
      for (const name of listed.get(slot) ?? []) {
        const holders = images.get(name);
        holders?.delete(slot);
        if (holders?.size === 0) images.delete(name);
      }
      listed.delete(slot);
      version++;
    }

    function list(slot: number): void {
      unlist(slot);
      const names: string[] = [];
      for (const { names: aliases = [], sizeBytes = 0 } of nodes.node(slot).status?.images ?? []) {
        for (const name of aliases) {
          let holders = images.get(name);
          if (!holders) images.set(name, (holders = new Map()));
          holders.set(slot, sizeBytes);
          names.push(name);
        }
      }
      if (names.length) listed.set(slot, names);
    }

    function scoresOf(list: readonly string[]): Float64Array {
      const key = list.join('\n');
      const known = cache.get(key);
      if (known?.version === version) return known.scores;
      const scores = new Float64Array(nodes.live.length);
      for (const name of list) {
        const holders = images.get(name);
        if (!holders) continue;
        const spread = holders.size / nodes.count;
        for (const [slot, bytes] of holders) scores[slot] = (scores[slot] as number) + Math.trunc(bytes * spread);
      }
      const max = MAX_BYTES_PER_CONTAINER * list.length;
      for (let slot = 0; slot < nodes.size; slot++) {
        const sum = Math.min(Math.max(scores[slot] as number, MIN_BYTES), max);
        scores[slot] = Math.floor((100 * (sum - MIN_BYTES)) / (max - MIN_BYTES));
      }
      if (cache.size >= CACHED_LISTS) cache.clear();
      cache.set(key, { version, scores });
      return scores;
    }

    for (let slot = 0; slot < nodes.size; slot++) if (nodes.live[slot]) list(slot);

    return {
      nodeChanged(slot, changes) {
        if (changes & (NodeChange.Images | NodeChange.Added)) list(slot);
      },
      nodeRemoved: unlist,
      preScore({ pod }) {
        wanted = imagesOf(pod);
        return wanted.some((name) => images.has(name)) ? undefined : 'skip';
      },
      scoreAll(_, feasible, scores) {
        const bySlot = scoresOf(wanted);
        for (let k = 0; k < feasible.length; k++) scores[k] = bySlot[feasible[k] as number] as number;
      },
    };
  },
};

function imagesOf({ pod: { spec } }: PodInfo): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => tagged(image ?? ''));
}

/** `app` is `app:latest`. */
function tagged(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
