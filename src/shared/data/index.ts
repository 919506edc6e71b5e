export { isUniqueConflict } from './conflict.ts';
export type { Database, Db, Migration, Phase, ProcessLocks, Reader, Unit } from './database.ts';
export { kernelPrefix } from './migration-plan.ts';
export { openSqlite } from './sqlite.ts';
export { defineTables, prepared } from './tables.ts';
