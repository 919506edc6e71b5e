import { createHash } from 'node:crypto';
import { eq, inArray, sql } from 'drizzle-orm';
import { canonicalJson } from '../contract/index.ts';
import { defineTables, type Migration, prepared, type Reader, type Unit } from '../data/index.ts';
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
    /** What was answered to a command, by its key: it is answered again, not done again. */
    commands: answers('kerf_commands'),
    /** What a command in steps answers from the commit of its effect on, while its other steps may still be in flight. */
    steps: answers('kerf_step_answers'),
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

type Answers = keyof ReturnType<typeof answerTables>;

/** Answers in one table, by key. */
class AnswerStore {
  readonly #byKey;
  readonly #insert;

  constructor(private readonly which: Answers) {
    const { placeholder } = sql;
    this.#byKey = prepared((reader) => {
      const answers = answerTables(reader)[which];
      return reader.db
        .select()
        .from(answers)
        .where(eq(answers.key, placeholder('key')))
        .prepare();
    });
    this.#insert = prepared((unit) =>
      unit.db
        .insert(answerTables(unit)[which])
        .values({
          key: placeholder('key'),
          fingerprint: placeholder('fingerprint'),
          output: placeholder('output'),
          at: placeholder('at'),
        })
        .onConflictDoNothing()
        .prepare(),
    );
  }

  /** What was answered before, if it was. Refuses a key that comes back with another input. */
  async find(reader: Reader, command: KeyedCommand): Promise<Answer | undefined> {
    const [row] = await this.#byKey(reader).execute({ key: command.key });
    if (!row) return undefined;
    if (row.fingerprint !== command.fingerprint && row.fingerprint !== formerFingerprint(command)) throw keyReused();
    return { output: row.output === '' ? undefined : JSON.parse(row.output) };
  }

  async add(unit: Unit, { key, fingerprint }: KeyedCommand, output: unknown, now: number): Promise<void> {
    await this.#insert(unit).execute({ key, fingerprint, output: written(output), at: now });
  }

  /** Forgets a portion of the answers from before `end`. Returns how many. */
  async forget(unit: Unit, end: number, portion: number): Promise<number> {
    const answers = answerTables(unit)[this.which];
    const old = unit.db.select({ key: answers.key }).from(answers).where(sql`${answers.at} < ${end}`).limit(portion);
    return (await unit.db.delete(answers).where(inArray(answers.key, old)).returning({ key: answers.key })).length;
  }
}

export interface Answer {
  readonly output: unknown;
}

export const commandAnswers = new AnswerStore('commands');
export const stepAnswers = new AnswerStore('steps');

/** One command under its key: caller, operation and idempotency key together. */
export interface KeyedCommand {
  readonly key: string;
  readonly fingerprint: string;
  /** As parsing made it. */
  readonly input: unknown;
}

export interface CommandParts {
  readonly caller: string;
  readonly operation: string;
  readonly idempotencyKey: string;
  /** What its sender gave, and what parsing made of that. */
  readonly sent: unknown;
  readonly input: unknown;
}

/** The same input has the same fingerprint, whatever the order of its members, the transport, and the time of day. */
export function keyedCommand({ caller, operation, idempotencyKey, sent, input }: CommandParts): KeyedCommand {
  return {
    key: `${caller}/${operation}/${idempotencyKey}`,
    fingerprint: digest(sent === undefined ? '' : canonicalJson(sent)),
    input,
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
  return createHash('sha256').update(text).digest('base64url');
}

export function keyReused(): Error {
  return invalidInput([{ path: 'idempotencyKey', message: 'was used before with another input' }]);
}

const keptMs = 7 * 24 * 60 * 60_000;

/** Forgets a portion of the answers older than seven days: for so long a key is honored. Returns how many of one kind, at most. */
export async function forgetAnswers(unit: Unit, now: number, portion: number): Promise<number> {
  const end = now - keptMs;
  return Math.max(await commandAnswers.forget(unit, end, portion), await stepAnswers.forget(unit, end, portion));
}
