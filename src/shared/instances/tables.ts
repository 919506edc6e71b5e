import { defineTables, type Migration } from '../data/index.ts';

export const instanceTables = defineTables(({ table, text, integer }) => ({
  /** The processes that run the module on this database. */
  instances: table('kerf_instances', {
    id: text('id').primaryKey(),
    host: text('host').notNull(),
    pid: integer('pid').notNull(),
    /** When it counts as dead, unless it renews before. */
    until: integer('until').notNull(),
    since: integer('since').notNull(),
  }),
}));

export type InstanceRow = ReturnType<typeof instanceTables>['instances']['$inferSelect'];

export const instanceMigrations: Migration[] = [
  {
    name: 'kerf-instances-0001',
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
];
