// Loaded into every measured process before the application (`node --import`): counts commits, prepared statements and the syncs that
// run beside the event loop, and watches the event loop. On SIGUSR2 it writes the counts to PROBE_DIR/<pid>.json and resets them.
import fs, { renameSync, writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolution = 2;
const loop = monitorEventLoopDelay({ resolution });
let [commits, prepared, syncs] = [0, 0, 0];

watch(createRequire(join(process.cwd(), process.env.PROBE_PACKAGES ?? '.', 'package.json'))('better-sqlite3'));
fs.fdatasync = counting(fs.fdatasync, () => {
  syncs += 1;
});
syncBuiltinESMExports();
loop.enable();
process.on('SIGUSR2', () => {
  const loopDelayMs = Math.max(0, loop.percentile(99) / 1e6 - resolution);
  const file = join(process.env.PROBE_DIR, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ commits, prepared, syncs, loopDelayMs }));
  renameSync(`${file}.new`, file);
  [commits, prepared, syncs] = [0, 0, 0];
  loop.reset();
});

/** Counts compiled statements and commits: COMMIT statements, and transactions of better-sqlite3. */
function watch({ prototype }) {
  const { prepare, transaction } = prototype;
  prototype.prepare = function (source) {
    prepared += 1;
    const statement = prepare.call(this, source);
    // A read-only connection ends its snapshots with COMMIT, which is no commit of data.
    return !this.readonly && /^\s*COMMIT\b/i.test(source) ? counted(statement, 'run') : statement;
  };
  prototype.transaction = function (task) {
    const made = transaction.call(this, task);
    return Object.defineProperties(counting(made), {
      deferred: { value: counting(made.deferred) },
      immediate: { value: counting(made.immediate) },
    });
  };
}

function counted(owner, method) {
  owner[method] = counting(owner[method].bind(owner));
  return owner;
}

function counting(task, count = countCommit) {
  return (...values) => {
    const result = task(...values);
    count();
    return result;
  };
}

function countCommit() {
  commits += 1;
}
