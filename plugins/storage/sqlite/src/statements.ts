import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Prepared once; rows come as arrays, which is cheaper than objects. */
export type Statements = ReturnType<typeof prepareStatements>;

/** The newest version of each key in a range, at or below a revision: out of the index alone. */
const VERSIONS = `
  SELECT max(revision) AS revision, live FROM log
  WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key ORDER BY key`;

export function prepareStatements(db: DatabaseSync) {
  const prepare = (sql: string): StatementSync => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    /** revision, live of a key's newest version. */
    current: prepare('SELECT revision, live FROM log WHERE key = ? ORDER BY revision DESC LIMIT 1'),
    insert: prepare('INSERT INTO log (revision, key, live, previous, time, value) VALUES (?, ?, ?, ?, ?, ?)'),
    /** revision, value of a key at or below a revision; value is null when it was deleted. */
    get: prepare('SELECT revision, value FROM log WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1'),
    /** key, value, revision. CROSS JOIN keeps the order of the loops: the page is made key by key, without a sort. */
    list: prepare(
      `SELECT log.key, log.value, log.revision FROM (${VERSIONS}) AS newest CROSS JOIN log ON log.revision = newest.revision WHERE newest.live`,
    ),
    count: prepare(`SELECT count(*) FROM (${VERSIONS}) WHERE live`),
    /** revision, key, value, previous revision, previous value, in revision order. */
    history: prepare(`
      SELECT log.revision, log.key, log.value, log.previous, old.value FROM log LEFT JOIN log AS old ON old.revision = log.previous
      WHERE log.revision > ? AND log.revision <= ? AND log.key >= ? AND log.key < ? ORDER BY log.revision`),
    newest: prepare('SELECT revision, time FROM log ORDER BY revision DESC LIMIT 1'),
    /** revision, time of the first row at or after a revision. */
    rowAfter: prepare('SELECT revision, time FROM log WHERE revision >= ? ORDER BY revision LIMIT 1'),
    /** revision, previous, live of the rows that a compaction step looks at. */
    step: prepare('SELECT revision, previous, live, time FROM log WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?'),
    forget: prepare('DELETE FROM log WHERE revision = ?'),
    setMeta: prepare('UPDATE meta SET value = ? WHERE name = ?'),
    meta: prepare('SELECT value FROM meta WHERE name = ?'),
    keys: prepare('SELECT count(*) FROM (SELECT max(revision), live FROM log GROUP BY key) WHERE live'),
  };
}
