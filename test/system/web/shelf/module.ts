import type { Preconditions } from 'kerf/contract';
import { defineTables, rowBy, type Unit, upsertInto } from 'kerf/database';
import { refusal } from 'kerf/errors';
import { checkPreconditions } from 'kerf/http-api';
import { defineModule, handle } from 'kerf/module';
import { shelf } from './contract.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

const tables = defineTables(({ table, text, integer }) => ({
  boxes: table('boxes', {
    name: text('name').primaryKey(),
    content: text('content').notNull(),
    version: integer('version').notNull(),
  }),
}));
const boxByName = rowBy((reader) => tables(reader).boxes, 'name');
const put = upsertInto((unit) => tables(unit).boxes, 'name');
const sqlite = 'CREATE TABLE boxes (name TEXT PRIMARY KEY, content TEXT NOT NULL, version INTEGER NOT NULL)';

const read = handle(shelf.operations.read, async ({ name }, reader) => {
  const box = await boxByName(reader, name);
  if (!box?.content) throw refusal('not-found');
  return box;
});

const write = handle(shelf.operations.write, async (input, unit) => fill(unit, input));
const remove = handle(shelf.operations.remove, async (input, unit) => {
  await fill(unit, { ...input, content: '' });
  return {};
});

interface Filling {
  readonly name: string;
  readonly content: string;
  readonly preconditions: Preconditions;
}

/** An empty box is no box. Its version stays, so that it never repeats. */
async function fill(unit: Unit, { name, content, preconditions }: Filling) {
  const before = await boxByName(unit, name);
  checkPreconditions(preconditions, before?.content ? `"${before.version}"` : undefined);
  const version = (before?.version ?? 0) + 1;
  await put(unit, { name, content, version });
  return { name, content, version };
}

export default defineModule({
  contract: shelf,
  about,
  migrations: [{ name: '0001-boxes', phase: 'expand', sqlite }],
  open: () => ({ operations: { read, write, remove } }),
  routes,
});
