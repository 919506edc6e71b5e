export type { DatabaseEngine } from './database-engine.ts';
export { DatabaseRecords } from './database-records.ts';
export { cure, type DatabaseRecord, type DatabaseState, joinSystem, stateOf, whyNotThis } from './database-state.ts';
export { asNotWritten, damageOf, explain, failureOf } from './explain.ts';
export { GroupCommit } from './group-commit.ts';
export {
  type AppliedMigration,
  appliedMigrations,
  type MigrationPlan,
  type NamedMigration,
  planMigrations,
  whyNotLive,
} from './migration-plan.ts';
export type { Transaction } from './transaction.ts';
