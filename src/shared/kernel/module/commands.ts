import { hash } from 'node:crypto';
import { eq, inArray, sql } from 'drizzle-orm';
import { canonicalJson } from '../contract/index.ts';
import { defineTables, insertInto, type Migration, prepared, type Reader, type Unit } from '../database/index.ts';
import { invalidInput } from '../errors/index.ts';

const answerTables = defineTables(({ table, text, integer }) => {
  const answers = (name: string) =>
    table(name, {
      key: text('key').primaryKey(),
      fingerprint: text('fingerprint').notNull(),
      output: text('output').notNull(),
      at: integer('at').notNull(),
    });
  return {
    /**
     * What was answered to a command, by its key: it is answered again, not done again. Of a command in steps from the commit of its
     * effect on, while its other steps may still be in flight.
     */
    answers: answers('kerf_commands'),
    /** Where releases up to 0.1 write the answers of commands in steps. */
    formerAnswers: answers('kerf_step_answers'),
  };
});

export const commandMigrations: Migration[] = [
  {
    name: 'kerf-commands-0001',
    phase: 'expand',
    sqlite: `
      CREATE TABLE kerf_commands (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, output TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
      CREATE INDEX kerf_commands_at ON kerf_commands (at);
    `,
  },
  {
    name: 'kerf-commands-0002',
    phase: 'expand',
    sqlite: `
      CREATE TABLE kerf_step_answers (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, output TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
      CREATE INDEX kerf_step_answers_at ON kerf_step_answers (at);
    `,
  },
];

const { placeholder } = sql;

const answerTo = prepared((reader) => {
  const { answers, formerAnswers } = answerTables(reader);
  const from = (table: typeof answers | typeof formerAnswers) =>
    reader.db
      .select({ fingerprint: table.fingerprint, output: table.output })
      .from(table)
      .where(eq(table.key, placeholder('key')));
  return from(answers).unionAll(from(formerAnswers)).limit(1).prepare();
});

const insertAnswer = insertInto((unit) => answerTables(unit).answers);

/** What was answered before, if it was. Refuses a key that comes back with another input. */
export async function findAnswer(reader: Reader, command: KeyedCommand): Promise<CommandAnswer | undefined> {
  const [row] = await answerTo(reader).execute({ key: command.key });
  if (!row) return undefined;
  if (row.fingerprint !== command.fingerprint && row.fingerprint !== formerFingerprint(command)) throw keyReused();
  return { output: row.output === '' ? undefined : JSON.parse(row.output) };
}

/** Writes down the answer to a command of which `findAnswer` has found none in this unit. */
export async function recordAnswer(unit: Unit, command: KeyedCommand, output: unknown, now: number): Promise<void> {
  const { key, fingerprint } = command;
  await insertAnswer(unit, { key, fingerprint, output: written(output), at: now });
}

/** Whether there was none before; the first one stays. */
export async function addAnswer(unit: Unit, command: KeyedCommand, output: unknown, now: number): Promise<boolean> {
  if ((await answerTo(unit).execute({ key: command.key })).length > 0) return false;
  await recordAnswer(unit, command, output, now);
  return true;
}

export interface CommandAnswer {
  readonly output: unknown;
}

/** One command under its key: caller, operation and idempotency key together. */
export interface KeyedCommand {
  readonly key: string;
  readonly fingerprint: string;
  /** As parsing made it. */
  readonly input: unknown;
  /** Told of the answer as soon as it is committed, for a caller that goes on in this process alone. */
  readonly answered?: (output: unknown) => void;
}

export interface CommandDependencies extends Pick<KeyedCommand, 'answered'> {
  readonly caller: string;
  readonly operation: string;
  readonly idempotencyKey: string;
  /** What its sender gave, and what parsing made of that. */
  readonly sent: unknown;
  readonly input: unknown;
}

/** The same input has the same fingerprint, whatever the order of its members, the transport, and the time of day. */
export function keyedCommand(parts: CommandDependencies): KeyedCommand {
  const { caller, operation, idempotencyKey, sent, input, answered } = parts;
  return {
    key: `${caller}/${operation}/${idempotencyKey}`,
    fingerprint: digest(sent === undefined ? '' : canonicalJson(sent)),
    ...{ input, answered },
  };
}

/** As releases up to 0.1 recorded it: what they answered is honored for as long as any answer. */
function formerFingerprint({ input }: KeyedCommand): string {
  return digest(written(input));
}

/** JSON; the empty text for undefined, which JSON cannot say. */
function written(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

export function keyReused(): Error {
  return invalidInput([{ path: 'idempotencyKey', message: 'was used before with another input' }]);
}

const keptMs = 7 * 24 * 60 * 60_000;

/** Forgets a portion of the answers older than seven days: for so long a key is honored. Returns how many in one table, at most. */
export async function forgetAnswers(unit: Unit, now: number, portion: number): Promise<number> {
  const { answers, formerAnswers } = answerTables(unit);
  const forget = async (table: typeof answers | typeof formerAnswers) => {
    const old = unit.db
      .select({ key: table.key })
      .from(table)
      .where(sql`${table.at} < ${now - keptMs}`)
      .limit(portion);
    return (await unit.db.delete(table).where(inArray(table.key, old)).returning({ key: table.key })).length;
  };
  return Math.max(await forget(answers), await forget(formerAnswers));
}
