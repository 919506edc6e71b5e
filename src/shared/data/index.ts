export { isUniqueConflict } from './conflict.ts';
export type { CrashNote, Database, Db, Migration, Phase, ProcessLocks, Reader, Unit } from './database.ts';
export { DatabaseRecords } from './database-records.ts';
export { type DatabaseRecord, type DatabaseState, joinSystem, stateOf, whyNotThis } from './database-state.ts';
export { UnitOverdue } from './group-commit.ts';
export { appliedMigrations, kernelPrefix, type NamedMigration, whyNotLive } from './migration-plan.ts';
export { probeWrite } from './probe-write.ts';
export { checkSqlite, openSqlite } from './sqlite.ts';
export { defineTables, prepared } from './tables.ts';
