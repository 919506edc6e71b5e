import type { Log } from '../telemetry/index.ts';
import type { Database, Migration } from './database.ts';
import type { DatabaseRecords } from './database-records.ts';

/** Opens the databases of one process. */
export interface DatabaseEngine {
  /**
   * Opens a module's database and applies its migrations. Throws a `StartError` when it cannot be used, or differs from what `records`
   * knows of it.
   */
  open(module: string, migrations: readonly Migration[], around: { log: Log; records: DatabaseRecords }): Database;
  /** Throws the `StartError` that `open` would throw for data that is lost; changes nothing. */
  check(module: string, records: DatabaseRecords): void;
}
