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
     * The recorded answer of each command, by its key. A repeat of the command gets this answer and does not run again. The answer of a
     * command in steps may be here from the commit of its effect on, while later steps are still in flight.
     */
    answers: answers('kerf_commands'),
    /** Holds the answers that releases up to 0.1 write for commands in steps. */
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

/** Returns the recorded answer of a command, if there is one. Throws `invalid-input` when the key was used with another input. */
export async function findAnswer(reader: Reader, command: KeyedCommand): Promise<CommandAnswer | undefined> {
  const [row] = await answerTo(reader).execute({ key: command.key });
  if (!row) return undefined;
  if (row.fingerprint !== command.fingerprint && row.fingerprint !== formerFingerprint(command)) throw keyReused();
  return { output: row.output === '' ? undefined : JSON.parse(row.output) };
}

/** Records the answer of a command. Call it only when `findAnswer` has found none in this unit. */
export async function recordAnswer(unit: Unit, command: KeyedCommand, output: unknown, now: number): Promise<void> {
  const { key, fingerprint } = command;
  await insertAnswer(unit, { key, fingerprint, output: written(output), at: now });
}

/** Records the answer unless the command already has one. Returns whether it has recorded the answer. */
export async function addAnswer(unit: Unit, command: KeyedCommand, output: unknown, now: number): Promise<boolean> {
  if ((await answerTo(unit).execute({ key: command.key })).length > 0) return false;
  await recordAnswer(unit, command, output, now);
  return true;
}

export interface CommandAnswer {
  readonly output: unknown;
}

/** A command with its key, which joins caller, operation and idempotency key. */
export interface KeyedCommand {
  readonly key: string;
  readonly fingerprint: string;
  /** The parsed input. */
  readonly input: unknown;
  /** Receives the answer as soon as it is committed, for a caller that continues in this process alone. */
  readonly answered?: (output: unknown) => void;
}

export interface CommandDependencies extends Pick<KeyedCommand, 'answered'> {
  readonly caller: string;
  readonly operation: string;
  readonly idempotencyKey: string;
  /** The input as its sender gave it. `input` is the parsed form. */
  readonly sent: unknown;
  readonly input: unknown;
}

/** Adds key and fingerprint to a command. Equal inputs have equal fingerprints, for any member order, transport and time of day. */
export function keyedCommand(parts: CommandDependencies): KeyedCommand {
  const { caller, operation, idempotencyKey, sent, input, answered } = parts;
  return {
    key: `${caller}/${operation}/${idempotencyKey}`,
    fingerprint: digest(sent === undefined ? '' : canonicalJson(sent)),
    ...{ input, answered },
  };
}

/** Returns the fingerprint as releases up to 0.1 recorded it. Their answers stay valid as long as any other answer. */
function formerFingerprint({ input }: KeyedCommand): string {
  return digest(written(input));
}

/** Returns JSON, or the empty string for `undefined`, which JSON cannot express. */
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

/** Deletes a portion of the answers older than seven days, the lifetime of a key. Returns the larger count of the two tables. */
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
