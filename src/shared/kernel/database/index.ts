export { isUniqueConflict } from './conflict.ts';
export {
  type CommitCounts,
  type CrashNote,
  type Database,
  type Db,
  kernelPrefix,
  type Migration,
  type Phase,
  type ProcessLocks,
  type Reader,
  type Unit,
  type UnitUsage,
  type WrittenGroup,
} from './database.ts';
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
export { UnitOverdue, unitLimitMs } from './unit-overdue.ts';
