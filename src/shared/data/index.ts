export { isUniqueConflict } from './conflict.ts';
export type { Database, Db, Dialect, Migration, Reader, Unit } from './database.ts';
export { openSqlite } from './sqlite.ts';
export { defineTables, prepared, type Tables } from './tables.ts';
