import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqlite } from './sqlite.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-opening-'));
  file = join(folder, 'shop.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Locks the file in another thread, like an opening process, and releases it by itself. */
const holder = `
  Promise.all([import('node:worker_threads'), import('better-sqlite3')]).then(([{ workerData, parentPort }, driver]) => {
    const database = new driver.default(workerData.file);
    database.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (id)');
    parentPort.postMessage('held');
    setTimeout(() => { database.exec('COMMIT'); database.close(); }, 200);
  });
`;

it('waits for another process that opens a new file at the same time', async () => {
  new Sqlite(file).close();
  const worker = new Worker(holder, { eval: true, workerData: { file } });
  await new Promise((resolve) => worker.once('message', resolve));
  const database = openSqlite('shop', file, []);
  expect(await database.db.all("SELECT name FROM sqlite_master WHERE name = 'held'")).toEqual([{ name: 'held' }]);
  await database.close();
  await worker.terminate();
});

it('gives a new file pages of 2 kB, and keeps the page size of an older file', async () => {
  const pageBytes = async () => {
    const database = openSqlite('shop', file, []);
    const rows = await database.db.all('PRAGMA page_size');
    await database.close();
    return rows;
  };
  expect(await pageBytes()).toEqual([{ page_size: 2048 }]);
  rmSync(file);
  const older = new Sqlite(file);
  older.pragma('journal_mode = WAL');
  older.exec('CREATE TABLE orders (id)');
  older.close();
  expect(await pageBytes()).toEqual([{ page_size: 4096 }]);
});
