// The least that a system whose modules can be extracted has to do for an order: all its rows in one commit of each database. Concurrent
// requests share a commit.
import { fdatasync } from 'node:fs';
import { promisify } from 'node:util';
import { openDatabases, serveOrders } from './rows.mjs';

const syncToDisk = promisify(fdatasync);
const opened = openDatabases();
const all = Object.values(opened);
let waiting = [];
let isSyncing = false;

/** Resolves when all rows of the order are on disk. */
function place(order) {
  return new Promise((resolve) => {
    waiting.push({ order, resolve });
    if (waiting.length === 1 && !isSyncing) setImmediate(commit);
  });
}

async function commit() {
  const group = waiting;
  waiting = [];
  isSyncing = true;
  for (const { commit, commits } of all) commit(group.flatMap(({ order }) => commits(order).flat()));
  await Promise.all(all.map(({ wal }) => syncToDisk(wal)));
  isSyncing = false;
  for (const { resolve } of group) resolve();
  if (waiting.length > 0) setImmediate(commit);
}

serveOrders(place, opened);
