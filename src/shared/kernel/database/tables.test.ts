import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { defineTables, insertInto, rowBy, rowsByAny, updateBy, upsertInto } from './tables.ts';

const file = join(mkdtempSync(join(tmpdir(), 'kerf-tables-')), 'tools.db');
const tables = defineTables(({ table, text, integer }) => ({
  tools: table('tools', { name: text('name').primaryKey(), size: integer('size') }),
}));
const database = openSqlite('tools', file, [
  { name: '0001', sqlite: 'CREATE TABLE tools (name TEXT PRIMARY KEY, size INTEGER)' },
]);
const add = insertInto((unit) => tables(unit).tools);
const byName = rowBy((reader) => tables(reader).tools, 'name');
const byNameAndSize = rowBy((reader) => tables(reader).tools, 'name', 'size');
const resize = updateBy((unit) => tables(unit).tools, 'name', 'size');
const put = upsertInto((unit) => tables(unit).tools, 'name');
const addIfNew = upsertInto((unit) => tables(unit).tools, 'name', ['name']);
const byNames = rowsByAny((reader) => tables(reader).tools, 'name');
const bySizes = rowsByAny((reader) => tables(reader).tools, 'size');

const [saw, plane, chisel] = [
  { name: 'saw', size: 600 },
  { name: `it's "sharp"`, size: 12 },
  { name: 'chisel', size: null },
];

beforeAll(() =>
  database.work(async (unit) => {
    for (const tool of [saw, plane, chisel]) await add(unit, tool);
  }),
);
afterAll(() => database.close());

it('finds a row by the values of its columns', async () => {
  expect(await byName(database, plane.name)).toEqual(plane);
  expect(await byName(database, 'hammer')).toBeUndefined();
  expect(await byNameAndSize(database, saw.name, 600)).toEqual(saw);
  expect(await byNameAndSize(database, saw.name, 12)).toBeUndefined();
});

it('changes only the given columns of one row', async () => {
  await database.work((unit) => resize(unit, saw.name, { size: 550 }));
  expect(await byNames(database, [saw.name, plane.name])).toEqual([plane, { ...saw, size: 550 }]);
  await database.work((unit) => resize(unit, saw.name, { size: 600 }));
});

it('inserts a row, or updates the row with its key', async () => {
  await database.work((unit) => put(unit, { name: 'adze', size: 1 }));
  await database.work((unit) => put(unit, { name: 'adze', size: 2 }));
  expect(await byName(database, 'adze')).toEqual({ name: 'adze', size: 2 });
  await database.work((unit) => addIfNew(unit, { name: 'adze', size: 3 }));
  expect(await byName(database, 'adze')).toEqual({ name: 'adze', size: 2 });
});

it('finds rows by a list of values, each row once', async () => {
  expect(await byNames(database, [])).toEqual([]);
  expect(await byNames(database, [saw.name])).toEqual([saw]);
  expect(await byNames(database, [saw.name, 'hammer', plane.name, saw.name])).toEqual([plane, saw]);
  expect(await bySizes(database, [600, 12])).toEqual([saw, plane]);
});

it('compiles a statement once for any number of values', async () => {
  const compiled = vi.spyOn(Sqlite.prototype, 'prepare');
  await byNames(database, [saw.name, plane.name]);
  await byNames(database, [saw.name, plane.name, chisel.name]);
  expect(compiled).not.toHaveBeenCalled();
  compiled.mockRestore();
});
