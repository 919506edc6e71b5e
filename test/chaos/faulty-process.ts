import Sqlite from 'better-sqlite3';
import { type FaultsByProcess, folderVariable, readProcessFaults } from './process-faults.ts';

// Injects the faults that the chaos run writes for this process: a wrong clock, a slow disk. Node loads it before the system.
const folder = process.env[folderVariable];
const own = process.argv[process.argv.indexOf('--only') + 1];
const target = process.argv.includes('--only') && own ? own : 'home';
const lookEveryMs = 100;

let processFaults: FaultsByProcess = {};

if (folder) {
  look(folder);
  setInterval(() => look(folder), lookEveryMs).unref();
  shiftClock();
  stallCommits();
}

/** Returns the faults of a module's event handlers in this process. */
export function handlerFaults(module: string) {
  const { handlers, fatal } = processFaults[module] ?? {};
  return { handlers, fatal, folder };
}

function look(at: string): void {
  processFaults = readProcessFaults(at);
}

function shiftClock(): void {
  const { now } = Date;
  const shifted = () => now() + (processFaults[target]?.clockByMs ?? 0);
  Date.now = shifted;
  globalThis.Date = new Proxy(Date, {
    construct: (real, given, asked) => Reflect.construct(real, given.length === 0 ? [shifted()] : given, asked),
  });
}

/** Makes each commit block the whole process, as a disk with a slow `fsync` does. */
function stallCommits(): void {
  const { prepare } = Sqlite.prototype;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  Sqlite.prototype.prepare = function stalling(this: typeof Sqlite.prototype, source: string) {
    const statement = prepare.call(this, source);
    if (source !== 'COMMIT') return statement;
    const { run } = statement as Sqlite.Statement<[]>;
    return Object.assign(statement, {
      run() {
        const { stallMs } = processFaults[target] ?? {};
        if (stallMs) Atomics.wait(nothing, 0, 0, stallMs);
        return run.call(statement as Sqlite.Statement<[]>);
      },
    });
  } as typeof prepare;
}
