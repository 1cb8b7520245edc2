/** Cron schedules as Kubernetes takes them: five fields, or a descriptor such as `@daily`. */

interface Field {
  min: number;
  max: number;
  names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** What is wrong with a schedule, in the words of the parser clients know, or undefined. */
export function scheduleProblem(schedule: string): string | undefined {
  let spec = schedule;
  if (spec === '') return 'empty spec string';
  const zoned = /^(?:CRON_)?TZ=(\S*)\s*/.exec(spec);
  if (zoned) {
    const zone = zoned[1] ?? '';
    if (!isTimeZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
    spec = spec.slice(zoned[0].length);
  }
  if (spec.startsWith('@')) return descriptorProblem(spec);
  const fields = spec.trim().split(/\s+/).filter(Boolean);
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [i, field] of FIELDS.entries()) {
    for (const part of (fields[i] ?? '').split(',').filter(Boolean)) {
      const problem = rangeProblem(part, field);
      if (problem) return problem;
    }
  }
  return undefined;
}

function descriptorProblem(spec: string): string | undefined {
  if (DESCRIPTORS.includes(spec)) return undefined;
  if (!spec.startsWith('@every ')) return `unrecognized descriptor: ${spec}`;
  const duration = spec.slice('@every '.length);
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(duration)) return undefined;
  return `failed to parse duration ${spec}: time: invalid duration "${duration}"`;
}

function rangeProblem(text: string, field: Field): string | undefined {
  const [range = '', stepText, ...more] = text.split('/');
  const bounds = range.split('-');
  let start = field.min;
  let end = field.max;
  if (bounds[0] !== '*' && bounds[0] !== '?') {
    const first = numberOf(bounds[0] ?? '', field);
    if (typeof first === 'string') return first;
    start = first;
    end = first;
    if (bounds.length > 2) return `too many hyphens: ${text}`;
    if (bounds.length === 2) {
      const last = numberOf(bounds[1] ?? '', field);
      if (typeof last === 'string') return last;
      end = last;
    }
  }
  let step = 1;
  if (more.length) return `too many slashes: ${text}`;
  if (stepText !== undefined) {
    const parsed = numberOf(stepText, { min: 0, max: 0 });
    if (typeof parsed === 'string') return parsed;
    step = parsed;
    if (bounds.length === 1) end = field.max;
  }
  if (start < field.min) return `beginning of range (${start}) below minimum (${field.min}): ${text}`;
  if (end > field.max) return `end of range (${end}) above maximum (${field.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

/** The number a field's text stands for, or what is wrong with it. */
function numberOf(text: string, { names, min }: Field): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  if (!/^[-+]?\d+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  const value = Number(text);
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
}

/** Known to the time zone database under this very name. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z_+\-/0-9]+$/.test(name) || /^[-+\d/]/.test(name) || name !== name.trim()) return false;
  if (/^[a-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
