import { eq } from 'drizzle-orm';
import { type Database, defineTables, type Reader } from '../database/index.ts';

/** The identity and the progress that a database stores about itself. */
export interface DatabaseState {
  /** The system that the database belongs to; `null` until a home process has set it. */
  readonly system: string | null;
  readonly module: string;
  /** Created with the database. Copies of the database have the same id. */
  readonly id: string;
  /** The number of committed groups of units of work. */
  readonly commits: number;
}

/** A record of a module's database: its last known state, why it is damaged, or that the next start accepts any state. */
export type DatabaseRecord =
  | { readonly id: string; readonly commits: number; readonly at: string }
  | { readonly lost: string; readonly damagedAt?: string }
  | { readonly acceptedAt: string };

const identityTables = defineTables(({ table, text, integer }) => ({
  identity: table('kerf_identity', {
    one: integer('one').primaryKey(),
    system: text('system'),
    module: text('module').notNull(),
    id: text('id').notNull(),
    commits: integer('commits').notNull(),
  }),
}));

/** Reads the state of a database. Throws when the database has no identity. */
export async function stateOf(reader: Reader): Promise<DatabaseState> {
  const [row] = await reader.db.select().from(identityTables(reader).identity);
  if (!row) throw new Error('the database has no identity');
  const { one: _, ...state } = row;
  return state;
}

/** Assigns the database to this system. */
export async function joinSystem(database: Database, system: string): Promise<void> {
  await database.work(async (unit) => {
    const { identity } = identityTables(unit);
    await unit.db.update(identity).set({ system }).where(eq(identity.one, 1));
  });
}

/**
 * Returns why a module must not use the data that was found, or `undefined` when it may use it. `found` is `undefined` when there is no
 * data. `system` is `undefined` when it is unknown to which system the data should belong.
 */
export function whyNotThis(
  module: string,
  found: DatabaseState | undefined,
  record: DatabaseRecord | undefined,
  system: string | undefined,
): string | undefined {
  if (found && found.module !== module) return `it is the data of "${found.module}"; put the file of "${module}" there`;
  if (record && 'acceptedAt' in record) return undefined;
  if (!found && record && 'lost' in record) return `it is missing, and ${record.lost}; ${cure(module)}`;
  const seen = record && 'id' in record && `commit ${record.commits} was seen at ${record.at}`;
  if (!found) return record && `it is missing: ${seen}; ${cure(module)}`;
  if (found.system !== null && system !== undefined && found.system !== system)
    return `it belongs to another system; put the data of this system there, or ${accept(module)}`;
  if (!record) return undefined;
  if ('lost' in record) return `${record.lost}, so Kerf cannot tell whether commits are missing; ${cure(module)}`;
  if (found.id !== record.id) return `it is another database than the one of which ${seen}; ${cure(module)}`;
  if (found.commits < record.commits)
    return `its last commits are missing: it ends with commit ${found.commits}, and ${seen}; ${cure(module)}`;
  return undefined;
}

/** Tells the operator how to handle missing data. */
export function cure(module: string): string {
  return `restore it from a backup, or ${accept(module)}`;
}

function accept(module: string): string {
  return `start once with npm start -- --accept-loss ${module} to accept the data as it is`;
}
