export { isUniqueConflict } from './conflict.ts';
export type { Database, Db, Migration, Reader, Unit } from './database.ts';
export { openSqlite } from './sqlite.ts';
export { defineTables, prepared } from './tables.ts';
