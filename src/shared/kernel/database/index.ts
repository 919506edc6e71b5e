export { isUniqueConflict } from './conflict.ts';
export type { CrashNote, Database, Db, Migration, ProcessLocks, Reader, Unit } from './database.ts';
export type { DatabaseEngine } from './database-engine.ts';
export { DatabaseRecords } from './database-records.ts';
export { cure, type DatabaseRecord, type DatabaseState, joinSystem, stateOf, whyNotThis } from './database-state.ts';
export { asNotWritten, damageOf, explain, failureOf } from './explain.ts';
export { type CommitCounts, GroupCommit, UnitOverdue, type WrittenGroup } from './group-commit.ts';
export {
  type AppliedMigration,
  appliedMigrations,
  kernelPrefix,
  type MigrationPlan,
  type NamedMigration,
  planMigrations,
  whyNotLive,
} from './migration-plan.ts';
export { probeWrite } from './probe-write.ts';
export {
  columnOf,
  defineTables,
  insertInto,
  prepared,
  rowBy,
  rowsByAny,
  rowsChanged,
  updateBy,
  upsertInto,
} from './tables.ts';
export type { Transaction } from './transaction.ts';
