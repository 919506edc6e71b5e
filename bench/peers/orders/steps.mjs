// The same rows in the sixteen commits of Kerf's order, which wait for each other and for the disk as there, for one client: what
// remains of the time of an order if the code of Kerf cost nothing. One file takes the commits of all databases, so that each wait is one sync.
import { fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { openDatabases, serveOrders } from './rows.mjs';

const syncToDisk = promisify(fdatasync);
const opened = openDatabases();
const log = openSync(`${process.env.SHOP_FILE}-log`, 'w');
const all = Object.values(opened).map((database) => ({ ...database, from: fstatSync(database.wal).size }));
const restartsAt = 32 * 1024 * 1024;
const checkpointsAt = 8 * 1024 * 1024;
let position = 0;

/** Copies what the write-ahead logs have gained, and resolves when it is on disk. */
async function onDisk() {
  if (position > restartsAt) position = 0;
  for (const database of all) {
    const { size } = fstatSync(database.wal);
    const gained = Buffer.allocUnsafe(size - database.from);
    if (gained.length === 0) continue;
    readSync(database.wal, gained, 0, gained.length, database.from);
    writeSync(log, gained, 0, gained.length, position);
    position += gained.length;
    if (size > checkpointsAt) database.checkpoint();
    database.from = size > checkpointsAt ? 0 : size;
  }
  await syncToDisk(log);
}

async function place(order) {
  const of = Object.fromEntries(Object.entries(opened).map(([name, { commits }]) => [name, commits(order)]));
  const commit = (name, at) => opened[name].commit(of[name][at]);
  commit('orders', 0);
  commit('inventory', 0);
  commit('payments', 0);
  await onDisk();
  // Here the payment provider is asked to authorize.
  commit('payments', 1);
  commit('inventory', 1);
  commit('orders', 1);
  await onDisk();
  // Here it is asked to capture.
  commit('payments', 2);
  commit('orders', 2);
  await onDisk();
  void afterAnswer(commit);
}

async function afterAnswer(commit) {
  commit('notifications', 0);
  commit('recommendations', 0);
  commit('mail', 0);
  commit('notifications', 1);
  await onDisk();
  // Here the mail server gets the mail.
  commit('mail', 1);
  commit('notifications', 2);
  commit('orders', 3);
  commit('mail', 2);
  await onDisk();
}

serveOrders(place, opened);
