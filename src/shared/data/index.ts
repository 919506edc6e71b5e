export { isUniqueConflict } from './conflict.ts';
export { refuseInsideUnit } from './current-unit.ts';
export type { Database, Db, Migration, Reader, Unit } from './database.ts';
export { NotWritten } from './not-written.ts';
export { openSqlite } from './sqlite.ts';
export { defineTables, prepared } from './tables.ts';
