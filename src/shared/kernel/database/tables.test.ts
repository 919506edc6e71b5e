import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { defineTables, insertInto, rowsBy, rowsByAny } from './tables.ts';

const file = join(mkdtempSync(join(tmpdir(), 'kerf-tables-')), 'tools.db');
const tables = defineTables(({ table, text, integer }) => ({
  tools: table('tools', { name: text('name').primaryKey(), size: integer('size') }),
}));
const database = openSqlite('tools', file, [
  { name: '0001', sqlite: 'CREATE TABLE tools (name TEXT PRIMARY KEY, size INTEGER)' },
]);
const add = insertInto((unit) => tables(unit).tools);
const byName = rowsBy((reader) => tables(reader).tools, 'name');
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

it('finds rows by a value', async () => {
  expect(await byName(database, plane.name)).toEqual([plane]);
  expect(await byName(database, 'hammer')).toEqual([]);
});

it('finds rows by any of some values, each row once', async () => {
  expect(await byNames(database, [])).toEqual([]);
  expect(await byNames(database, [saw.name])).toEqual([saw]);
  expect(await byNames(database, [saw.name, 'hammer', plane.name, saw.name])).toEqual([plane, saw]);
  expect(await bySizes(database, [600, 12])).toEqual([saw, plane]);
});

it('compiles a statement once, however many values there are', async () => {
  const compiled = vi.spyOn(Sqlite.prototype, 'prepare');
  await byNames(database, [saw.name, plane.name]);
  await byNames(database, [saw.name, plane.name, chisel.name]);
  expect(compiled).not.toHaveBeenCalled();
  compiled.mockRestore();
});
