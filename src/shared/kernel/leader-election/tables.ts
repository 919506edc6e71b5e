import { defineTables, type Migration } from '../database/index.ts';

export const instanceTables = defineTables(({ table, text, integer }) => ({
  /** The processes that run the module on this database. */
  instances: table('kerf_instances', {
    id: text('id').primaryKey(),
    host: text('host').notNull(),
    pid: integer('pid').notNull(),
    /** The time from which the instance counts as dead, unless it renews its lease before. */
    until: integer('until').notNull(),
    since: integer('since').notNull(),
  }),
  /** The current leader: one row. */
  lead: table('kerf_lead', {
    one: integer('one').primaryKey(),
    /** The id of the leader; null before the first leader, and after a leader gave up the lead. */
    holder: text('holder'),
    /** Number of times that an instance took the lead. It identifies late writes of an earlier leader. */
    term: integer('term').notNull(),
  }),
}));

export type LeadRow = ReturnType<typeof instanceTables>['lead']['$inferSelect'];
export type InstanceRow = ReturnType<typeof instanceTables>['instances']['$inferSelect'];

export const instanceMigrations: Migration[] = [
  {
    name: 'kerf-instances-0001',
    phase: 'expand',
    sqlite: `
      CREATE TABLE kerf_instances (
        id TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        until INTEGER NOT NULL,
        since INTEGER NOT NULL
      ) WITHOUT ROWID;
    `,
  },
  {
    name: 'kerf-instances-0002',
    phase: 'expand',
    sqlite: `
      CREATE TABLE kerf_lead (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        holder TEXT,
        term INTEGER NOT NULL
      );
      INSERT INTO kerf_lead (one, holder, term) VALUES (1, NULL, 0);
    `,
  },
];
