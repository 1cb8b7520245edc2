import type { TableDefinition } from '@kubernel/sdk';
import { ageColumn, createdAtColumn, nameColumn, table } from '@kubernel/sdk/api';

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}
const subjectsText =
  (kind: string) =>
  ({ subjects }: { subjects?: Subject[] }) =>
    (subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
      .join(', ');

const roles = table(nameColumn, createdAtColumn);
const bindings = table(
  nameColumn,
  ['Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`],
  ageColumn,
  ['+Users', subjectsText('User')],
  ['+Groups', subjectsText('Group')],
  ['+ServiceAccounts', subjectsText('ServiceAccount')],
);

/** How objects print in `kubectl get`, by plural. */
export const tables = { clusterrolebindings: bindings, clusterroles: roles, rolebindings: bindings, roles } satisfies Record<
  string,
  TableDefinition
>;
