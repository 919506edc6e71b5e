import type { SqlStatement } from './sql-statements.ts';

const oneTransaction = 'migrations run in one transaction that Kerf begins and ends; leave this statement out';
const ownDatabase = 'a migration changes the database of its own module only; leave this statement out';

const refusedStatements: Readonly<Record<string, string>> = {
  BEGIN: oneTransaction,
  COMMIT: oneTransaction,
  END: oneTransaction,
  ROLLBACK: oneTransaction,
  SAVEPOINT: oneTransaction,
  RELEASE: oneTransaction,
  VACUUM: 'it cannot run in a transaction; leave it out, and run it by hand while no process has the database open',
  ATTACH: ownDatabase,
  DETACH: ownDatabase,
  PRAGMA:
    'Kerf sets the connection up: foreign keys are off while migrations run, and are checked before one is recorded; leave this statement out',
};

/** Matches tokens before a name. After them, a single-quoted text is also a name. */
const beforeName = /^(TABLE|EXISTS|INTO|FROM|UPDATE|ON|JOIN|TO|INDEX|VIEW|TRIGGER|REFERENCES|\.|,)$/i;

/** Returns why a migration must not contain the statement, and a fix. Returns `undefined` when it may. */
export function whyRefused({ tokens }: SqlStatement, isKernels: boolean): string | undefined {
  const words = tokens.map((each) => each.toUpperCase());
  const [first = '', second = ''] = words;
  if (Object.hasOwn(refusedStatements, first)) return refusedStatements[first];
  if (tokens.some((each) => each.includes('\0')))
    return 'it has a NUL character, where SQLite stops reading; remove it';
  const isTemporary =
    (first === 'CREATE' && /^TEMP(ORARY)?$/.test(second)) ||
    words.some((each, index) => each === 'TEMP' && words[index + 1] === '.');
  if (isTemporary) return 'temporary objects outlive the migration; write CREATE TABLE, and DROP TABLE at its end';
  if (words.includes('ROLLBACK'))
    return 'ROLLBACK takes back the units of work of others as well; write ABORT, or put a name in quotes';
  // A trigger on a table of Kerf is allowed, because it does not change the table.
  const isWatched = (index: number) => second === 'TRIGGER' && words[index - 1] === 'ON';
  const kernels = tokens.find((each, index) => isKernelName(each, tokens[index - 1]) && !isWatched(index));
  if (kernels && !isKernels)
    return `${kernels} belongs to Kerf, as all names do that begin with kerf_; leave it alone, or choose another name`;
  return undefined;
}

function isKernelName(token: string, before = ''): boolean {
  if (token.startsWith("'")) return beforeName.test(before) && /^'kerf_/i.test(token);
  return /^["`[]?kerf_/i.test(token);
}

/** Returns the indexes and triggers that the statements drop by name. */
export function droppedByName(statements: readonly SqlStatement[]): ReadonlySet<string> {
  const dropped = statements.flatMap(({ tokens }) => {
    const text = tokens.join(' ');
    const [, name] = /^DROP (?:INDEX|TRIGGER) (?:IF EXISTS )?(?:\S+ \. )?(.+?)(?: ;)?$/i.exec(text) ?? [];
    return name ? [name.replace(/^["`['](.*)["`\]']$/, '$1').toLowerCase()] : [];
  });
  return new Set(dropped);
}

/** Returns the beginning of a statement on one line, for messages. */
export function shown(statement: SqlStatement): string {
  const text = statement.text.replace(/\s+/g, ' ').replace(/[; ]+$/, '');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
