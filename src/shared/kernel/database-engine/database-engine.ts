import type { Database, Migration } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { DatabaseRecords } from './database-records.ts';

/** Opens the databases of one process. */
export interface DatabaseEngine {
  /**
   * Opens a module's database and applies its migrations. Throws a `StartError` when the database cannot be used or does not match its
   * record in `records`.
   */
  open(module: string, migrations: readonly Migration[], around: { log: Log; records: DatabaseRecords }): Database;
  /** Throws the `StartError` that `open` would throw for lost data. Changes nothing. */
  check(module: string, records: DatabaseRecords): void;
}
