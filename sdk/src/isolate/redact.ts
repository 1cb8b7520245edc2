import type { LogFields } from '../index.ts';

const SECRET = /token|password|passwd|secret|authorization|cookie|private.?key|^key$/i;

/** Log fields that can be cloned and hold no secrets: errors become their message, secret names lose their value. */
export function redact(fields: LogFields): LogFields {
  const safe: LogFields = {};
  for (const [name, value] of Object.entries(fields)) safe[name] = SECRET.test(name) ? '[redacted]' : plain(value, 0);
  return safe;
}

function plain(value: unknown, depth: number): unknown {
  if (value instanceof Error)
    return (value as { code?: string }).code ? `${(value as { code?: string }).code}: ${value.message}` : value.message;
  if (typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 3) return '[nested]';
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => plain(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, SECRET.test(name) ? '[redacted]' : plain(item, depth + 1)]));
}
