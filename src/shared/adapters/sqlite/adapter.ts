import { join } from 'node:path';
import type { DatabaseEngine } from '../../kernel/database-engine/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';
import { CommitLog } from './commit-log.ts';
import { checkSqlite, openSqlite } from './sqlite.ts';

/** Keeps each module's data in its own file, and writes the commits of all modules to one log. */
export const sqlite = (): Adapter => ({ name: 'sqlite', openEngine });

function openEngine(dataDir: string): DatabaseEngine {
  const commitLog = new CommitLog(join(dataDir, 'commit-logs'));
  const fileOf = (module: string) => join(dataDir, `${module}.db`);
  return {
    open: (module, migrations, { log, records }) =>
      openSqlite(module, fileOf(module), migrations, log, records, { log: commitLog }),
    check: (module, records) => checkSqlite(module, fileOf(module), records),
  };
}
