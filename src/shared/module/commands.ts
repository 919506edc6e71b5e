import { createHash } from 'node:crypto';
import { eq, inArray, sql } from 'drizzle-orm';
import { defineTables, type Migration, prepared, type Reader, type Unit } from '../data/index.ts';
import { invalidInput } from '../errors/index.ts';

const commandTables = defineTables(({ table, text, integer }) => ({
  /** What was answered to a command, by its key: it is answered again, not done again. */
  commands: table('kerf_commands', {
    key: text('key').primaryKey(),
    fingerprint: text('fingerprint').notNull(),
    output: text('output').notNull(),
    at: integer('at').notNull(),
  }),
}));

export const commandMigrations: Migration[] = [
  {
    name: 'kerf-commands-0001',
    phase: 'expand',
    sqlite: `
      CREATE TABLE kerf_commands (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, output TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
      CREATE INDEX kerf_commands_at ON kerf_commands (at);
    `,
  },
];

const byKey = prepared((reader) => {
  const { commands } = commandTables(reader);
  return reader.db
    .select()
    .from(commands)
    .where(eq(commands.key, sql.placeholder('key')))
    .prepare();
});

const insert = prepared((unit) =>
  unit.db
    .insert(commandTables(unit).commands)
    .values({
      key: sql.placeholder('key'),
      fingerprint: sql.placeholder('fingerprint'),
      output: sql.placeholder('output'),
      at: sql.placeholder('at'),
    })
    .onConflictDoNothing()
    .prepare(),
);

/** One command under its key: caller, operation and idempotency key together. */
export interface KeyedCommand {
  readonly key: string;
  readonly fingerprint: string;
}

export function keyedCommand(caller: string, operation: string, idempotencyKey: string, input: unknown): KeyedCommand {
  const fingerprint = createHash('sha256').update(JSON.stringify(input)).digest('base64url');
  return { key: `${caller}/${operation}/${idempotencyKey}`, fingerprint };
}

/** What was answered before, if it was. Refuses a key that comes back with another input. */
export async function earlierAnswer(reader: Reader, command: KeyedCommand): Promise<{ output: unknown } | undefined> {
  const [row] = await byKey(reader).execute({ key: command.key });
  if (!row) return undefined;
  if (row.fingerprint !== command.fingerprint) throw keyReused();
  return { output: JSON.parse(row.output) };
}

export function keyReused(): Error {
  return invalidInput([{ path: 'idempotencyKey', message: 'was used before with another input' }]);
}

export async function rememberAnswer(unit: Unit, command: KeyedCommand, output: unknown, now: number): Promise<void> {
  await insert(unit).execute({ ...command, output: JSON.stringify(output), at: now });
}

const keptMs = 7 * 24 * 60 * 60_000;

/** Forgets a portion of the answers older than seven days: for so long a key is honored. Returns how many. */
export async function forgetAnswers(unit: Unit, now: number, portion: number): Promise<number> {
  const { commands } = commandTables(unit);
  const old = unit.db
    .select({ key: commands.key })
    .from(commands)
    .where(sql`${commands.at} < ${now - keptMs}`)
    .limit(portion);
  return (await unit.db.delete(commands).where(inArray(commands.key, old)).returning({ key: commands.key })).length;
}
