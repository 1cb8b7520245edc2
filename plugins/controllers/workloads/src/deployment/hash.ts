import type { PodTemplateSpec } from '@kubernel/sdk/api';

/** Without vowels and what looks like them, so that no hash spells a word. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * The `pod-template-hash` label: the same for templates of the same content, whatever the order of their fields.
 * `collisionCount` gives another hash when two different templates met in one.
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  let hash = fnv1a(0x811c9dc5, canonical(template));
  if (collisionCount !== undefined) hash = fnv1a(hash, `#${collisionCount}`);
  let text = '';
  for (const digit of String(hash >>> 0)) text += SAFE[digit.charCodeAt(0) % SAFE.length];
  return text;
}

function fnv1a(seed: number, text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join()}}`;
}
