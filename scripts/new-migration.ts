// kerf new migration: writes the migration that the change of a module's tables needs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { defineTables, Migration } from '../src/shared/kernel/database/index.ts';
import { type Define, misuse } from './cli/command.ts';
import { type Difference, differenceOf } from './new-migration/difference.ts';
import { declared, migrated, snapshotOf } from './new-migration/snapshot.ts';
import { type ResultOptions, tell } from './operator.ts';
import { tool } from './programs.ts';
import { fail, messageOf, node, root, runQuietly } from './setup.mjs';

type Tables = Record<string, unknown>;

export const define: Define = (command) =>
  command
    .description(
      `Compares the tables in src/modules/<module>/internal/store.ts with those that its migrations make, and adds the migration from the ones
to the others. It knows tables and columns. Write indexes, constraints and changes of the rows by hand. A renamed column appears as a new
one and a dropped one: write ALTER TABLE … RENAME COLUMN instead.`,
    )
    .argument('<module>', 'a module with tables, such as orders')
    .option('--name <name>', 'what the migration is about; without it, what has changed')
    .json()
    .action(write);

async function write(module: string, options: ResultOptions & { readonly name?: string }): Promise<void> {
  if (options.name !== undefined && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(options.name))
    misuse('--name takes small letters, digits and single hyphens');
  const store = `src/modules/${module}/internal/store.ts`;
  const { tables, migrations } = await read(store);
  const difference = await compared(migrations, tables);
  if (!difference) fail(`the migrations of ${module} make the tables of ${store} already; change those first`);
  refuseMissingDefault(difference);
  const { statements, phase, about } = difference;
  const sqlite = `${statements.join(';\n')};`;
  const name = `${String(migrations.length + 1).padStart(4, '0')}-${options.name ?? about}`;
  await proved([...migrations, { name, phase, sqlite }], tables);
  const file = join(root, store);
  writeFileSync(file, withMigration(store, readFileSync(file, 'utf8'), name, difference));
  runQuietly(node(), [tool('@biomejs', 'biome', 'bin', 'biome'), 'check', '--write', store]);
  tell(options, { name, ...difference, changed: [store] }, () =>
    console.log(`changed  ${store}: ${name} (${phase})\n\n${sqlite}`),
  );
}

/** Reads the tables and migrations that a module declares. */
async function read(store: string): Promise<{ tables: Tables; migrations: readonly Migration[] }> {
  const file = join(root, store);
  if (!existsSync(file)) fail(`there is no ${store}; name a module with tables`);
  const { tables, migrations } = (await import(pathToFileURL(file).href)) as {
    tables?: ReturnType<typeof defineTables<Tables>>;
    migrations?: readonly Migration[];
  };
  if (!tables || !migrations) fail(`${store} does not export tables and migrations`);
  return { tables: tables({ dialect: 'sqlite' }), migrations };
}

async function compared(all: readonly Migration[], given: Tables): Promise<Difference | undefined> {
  const native = migrated(all);
  const wanted = await declared(given);
  return differenceOf(native, snapshotOf(native, wanted), wanted);
}

/** SQLite adds no column that may not be null to a table that may have rows. */
function refuseMissingDefault({ statements }: Difference): void {
  const added = statements.find((each) => / ADD /.test(each) && / NOT NULL/.test(each) && !/ DEFAULT /.test(each));
  const [, table, column] = /^ALTER TABLE (\S+) ADD (\S+)/.exec(added ?? '') ?? [];
  if (table)
    fail(
      `the new column ${column} of ${table} may not be null, and old rows have no value; give it .default(…), or let it be null`,
    );
}

/** Applies the migration to an empty database, and checks that it makes the declared tables. */
async function proved(all: readonly Migration[], tables: Tables): Promise<void> {
  const left = await compared(all, tables).catch((error) => fail(messageOf(error)));
  if (left)
    fail(
      `this change is too much for one migration; make a smaller one, or write it by hand: ${left.statements.join('; ')}`,
    );
}

/** Returns the text of store.ts with one migration more. */
function withMigration(store: string, source: string, name: string, { phase, statements }: Difference): string {
  const parsed = ts.createSourceFile(store, source, ts.ScriptTarget.Latest, true);
  const list = listIn(parsed) ?? fail(`${store} has no list "migrations: Migration[] = […]"`);
  const sql = statements.map((each) => `${each.replace(/^/gm, '      ')};`).join('\n');
  const added = `{ name: '${name}', phase: '${phase}', sqlite: \`\n${sql}\n    \` },\n`;
  const end = list.getEnd() - 1;
  const before = source.slice(0, end).trimEnd();
  return `${before}${before.endsWith(',') || before.endsWith('[') ? '' : ','}\n${added}${source.slice(end)}`;
}

function listIn(parsed: ts.SourceFile): ts.ArrayLiteralExpression | undefined {
  for (const statement of parsed.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations)
      if (name.getText() === 'migrations' && initializer && ts.isArrayLiteralExpression(initializer))
        return initializer;
  }
  return undefined;
}
