import { defineTables, rowBy, upsertInto } from 'kerf/database';
import { defineModule, handle } from 'kerf/module';
import { notes } from './contract.ts';
import about from './module.json' with { type: 'json' };

const tables = defineTables(({ table, text }) => ({
  notes: table('notes', { id: text('id').primaryKey(), text: text('text').notNull() }),
}));
const put = upsertInto((unit) => tables(unit).notes, 'id');
const noteById = rowBy((reader) => tables(reader).notes, 'id');
const sqlite = 'CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL)';

const write = handle(notes.operations.write, async (note, unit) => put(unit, note).then(() => note));
const read = handle(notes.operations.read, async ({ id }, reader) => ({ note: (await noteById(reader, id)) ?? null }));

export default defineModule({
  contract: notes,
  about,
  migrations: [{ name: '0001-notes', phase: 'expand', sqlite }],
  open: () => ({ operations: { write, read } }),
});
