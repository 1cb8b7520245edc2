import type { Condition, CustomResourceDefinition, Names } from './definition.ts';
import { isTrue } from './definition.ts';

/** What a definition's status says of its names. */
export interface NameVerdict {
  accepted: Partial<Names>;
  conditions: Condition[];
}

/**
 * Which names a definition gets: those that no other definition of its group has. All of them accepted makes it established, once and
 * for all. `others`: the accepted names of the other definitions of the group.
 */
export function judgeNames(crd: CustomResourceDefinition, others: Iterable<Partial<Names>>, now: string): NameVerdict {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { plural, singular, shortNames, kind, listKind } of others) {
    for (const name of [plural, singular, ...(shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [kind, listKind]) if (name) kinds.add(name);
  }
  const { names } = crd.spec;
  const accepted: Partial<Names> = { ...crd.status?.acceptedNames };
  let refusal: { reason: string; message: string } | undefined;
  const settle = (reason: string, taken: ReadonlySet<string>, wanted: readonly string[], accept: () => void): void => {
    const conflicts = wanted.filter((name) => taken.has(name)).map((name) => `${JSON.stringify(name)} is already in use`);
    if (conflicts.length === 0) accept();
    else refusal = { reason, message: conflicts.length === 1 ? (conflicts[0] as string) : `[${conflicts.join(', ')}]` };
  };
  settle('PluralConflict', resources, [names.plural], () => {
    accepted.plural = names.plural;
  });
  settle('SingularConflict', resources, names.singular ? [names.singular] : [], () => assign(accepted, 'singular', names.singular));
  settle('ShortNamesConflict', resources, names.shortNames ?? [], () => assign(accepted, 'shortNames', names.shortNames));
  settle('KindConflict', kinds, [names.kind], () => {
    accepted.kind = names.kind;
  });
  settle('ListKindConflict', kinds, names.listKind ? [names.listKind] : [], () => assign(accepted, 'listKind', names.listKind));
  assign(accepted, 'categories', names.categories);
  accepted.kind ??= '';
  const conditions = [...(crd.status?.conditions ?? [])];
  if (refusal) set(conditions, { type: 'NamesAccepted', status: 'False', ...refusal }, now);
  else set(conditions, { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }, now);
  if (!isTrue(crd, 'Established')) {
    const established: Condition = refusal
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        };
    set(conditions, established, now);
  }
  return { accepted, conditions };
}

function assign<K extends keyof Names>(to: Partial<Names>, key: K, value: Names[K]): void {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) delete to[key];
  else to[key] = value;
}

function set(conditions: Condition[], wanted: Condition, now: string): void {
  const index = conditions.findIndex(({ type }) => type === wanted.type);
  const before = conditions[index];
  const lastTransitionTime = before?.status === wanted.status ? (before.lastTransitionTime ?? now) : now;
  const { type, status, reason = '', message = '' } = wanted;
  const next = { type, status, lastTransitionTime, reason, message };
  if (index < 0) conditions.push(next);
  else conditions[index] = next;
}
