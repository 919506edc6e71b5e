import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { openSqlite } from './index.ts';

/** Holds the file in another thread, as another process that opens it does, and lets go by itself. */
const holder = `
  Promise.all([import('node:worker_threads'), import('better-sqlite3')]).then(([{ workerData, parentPort }, driver]) => {
    const database = new driver.default(workerData.file);
    database.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (id)');
    parentPort.postMessage('held');
    setTimeout(() => { database.exec('COMMIT'); database.close(); }, 200);
  });
`;

it('waits for another process that opens a new file at the same time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-opening-'));
  const file = join(folder, 'shop.db');
  new Sqlite(file).close();
  const worker = new Worker(holder, { eval: true, workerData: { file } });
  await new Promise((resolve) => worker.once('message', resolve));
  const database = openSqlite('shop', file, []);
  expect(await database.db.all("SELECT name FROM sqlite_master WHERE name = 'held'")).toEqual([{ name: 'held' }]);
  await database.close();
  await worker.terminate();
  rmSync(folder, { recursive: true });
});
