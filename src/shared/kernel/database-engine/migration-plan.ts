import { defineTables, kernelPrefix, type Migration, type Phase, type Reader } from '../database/index.ts';
import { StartError } from '../errors/index.ts';

/** The record of an applied migration in a database. Databases of earlier releases store no hash and no phase. */
export interface AppliedMigration {
  readonly name: string;
  readonly appliedAt: string;
  readonly hash: string | null;
  readonly phase: Phase | null;
}

const recordTables = defineTables(({ table, text }) => ({
  migrations: table('kerf_migrations', { name: text('name').primaryKey(), phase: text('phase') }),
}));

/** A migration as releases describe it to each other. */
export interface NamedMigration {
  readonly name: string;
  readonly phase?: string | null | undefined;
}

/** Returns the migrations that were applied to a database. */
export async function appliedMigrations(reader: Reader): Promise<NamedMigration[]> {
  return reader.db.select().from(recordTables(reader).migrations);
}

/** The changes that a database needs before a release can use it. */
export interface MigrationPlan {
  /** Migrations to apply, in this order. */
  readonly pending: readonly Migration[];
  /** Applied migrations whose hash or phase must still be recorded. */
  readonly unrecorded: readonly Migration[];
}

/**
 * Compares the migrations of a release with the applied migrations, which are in the order of their application. Throws a `StartError`
 * that names the first wrong migration. A migration is wrong when it is listed twice, or was changed, moved or given another phase. It is
 * also wrong when another release applied it, this release does not list it, and it is not marked as `expand`.
 */
export function planMigrations(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
  hashOf: (migration: Migration) => string,
): MigrationPlan {
  const known = new Map<string, Migration>();
  for (const migration of migrations) {
    if (known.has(migration.name))
      throw wrong(migration.name, 'is listed twice; give each migration a name of its own');
    known.set(migration.name, migration);
  }
  for (const { name, phase } of applied) if (!known.has(name) && phase !== 'expand') throw wrong(name, unknown);
  for (const { name, hash, phase, appliedAt } of applied) {
    const migration = known.get(name);
    if (migration?.phase && phase !== null && migration.phase !== phase)
      throw wrong(
        name,
        `was applied as ${phase} (${appliedAt}) and is listed as ${migration.phase}; ${asBefore(phase)}`,
      );
    if (migration && hash !== null && hash !== hashOf(migration))
      throw wrong(name, `has changed since it was applied (${appliedAt}); ${undo}`);
  }
  refuseOtherOrder(applied, migrations);
  const names = new Map(applied.map((each) => [each.name, each]));
  return {
    pending: migrations.filter(({ name }) => !names.has(name)),
    unrecorded: migrations.filter(({ name, phase }) => {
      const record = names.get(name);
      return record && (record.hash === null || (phase !== undefined && record.phase !== phase));
    }),
  };
}

const unknown =
  'was applied by another release and is not marked as expand, so this release may not work with the data; start the release that has it, or restore the data from before it';
const asBefore = (phase: Phase) => `put its phase back to ${phase}: older releases go by it`;
const undo = 'put its text back as it was, and write the change as a new migration';

/** Throws unless the list has the module's own migrations in the order of their application, with new ones at the end. */
function refuseOtherOrder(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  const own = migrations.map(({ name }) => name).filter((name) => !name.startsWith(kernelPrefix));
  const before = applied.map(({ name }) => name).filter((name) => own.includes(name));
  for (const [index, name] of before.entries()) {
    // `own` has each name of `before`, and so at least as many names.
    const listed = own[index]!;
    if (listed === name) continue;
    const why = before.includes(listed)
      ? `was applied after "${name}" and is listed before it; put the list back in the order in which it was applied`
      : `is listed before "${name}", which was applied already; add new migrations at the end of the list`;
    throw wrong(listed, why);
  }
}

function wrong(name: string, why: string): StartError {
  return new StartError(`migration "${name}" ${why}`);
}

/**
 * Returns why a release with `candidate` migrations cannot replace the current release of this database while that release runs.
 * Returns `undefined` when both releases can work on the same data.
 */
export function whyNotLive(
  applied: readonly NamedMigration[],
  candidate: readonly NamedMigration[],
): string | undefined {
  const names = new Set(applied.map(({ name }) => name));
  const breaking = candidate.find(({ name, phase }) => !names.has(name) && phase !== 'expand');
  if (breaking)
    return `its migration "${breaking.name}" is not marked as expand: the release that runs now may not work with the data after it; stop the system and start the new release, or split the migration (docs/production.md, "Migrations and releases")`;
  const listed = new Set(candidate.map(({ name }) => name));
  const missing = applied.find(({ name, phase }) => !listed.has(name) && phase !== 'expand');
  return missing && `it does not know the migration "${missing.name}", which was applied and is not marked as expand`;
}
