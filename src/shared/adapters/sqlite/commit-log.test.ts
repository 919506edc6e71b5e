import {
  cpSync,
  fdatasync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../kernel/database/index.ts';
import { CommitLog, type Sync } from './commit-log.ts';
import { openSqlite } from './sqlite.ts';

const names = ['orders', 'payments', 'stock'] as const;
const migrations = [{ name: 'notes', sqlite: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)' }];

let folder: string;
let now: number;
let open: Database[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-commit-log-'));
  [now, open] = [0, []];
});

afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** A process whose databases share a log. */
function start(dataDir = folder, sync: Sync = fdatasync): Database[] {
  const log = new CommitLog(join(dataDir, 'commit-logs'), { sync, now: () => now, longestBytes: 2_000_000 });
  const databases = names.map((name) =>
    openSqlite(name, join(dataDir, `${name}.db`), migrations, undefined, undefined, { log, now: () => now }),
  );
  open.push(...databases);
  return databases;
}

/** Opens the databases, and advances the clock past the 15 s in which each commit syncs by itself. */
async function startAlone(sync?: Sync): Promise<Database[]> {
  const databases = start(folder, sync);
  for (const each of databases) await write(each, 0);
  now += 15_000;
  // From here on, only `sync` syncs files.
  for (const each of databases) await write(each, 1);
  return databases;
}

const write = (database: Database, id: number, text = '') =>
  database.work(async ({ db }) => void (await db.run(sql`insert into notes values (${id}, ${text})`)));
const writeAhead = (database: Database, id: number) =>
  database.workAhead(async ({ db }) => void (await db.run(sql`insert into notes values (${id}, '')`)));

async function idsIn(database: Database): Promise<number[]> {
  return (await database.db.all<{ id: number }>(sql`select id from notes order by id`)).map(({ id }) => id);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Copies the files as a power cut leaves them: as they were at their last sync, or complete, by chance. */
class Machine {
  readonly #synced = new Map<string, Buffer>();

  /** Number of syncs of each file. */
  readonly syncs: string[] = [];
  /** Files that the disk refuses to sync. */
  refuses = (_file: string) => false;
  readonly #stalled: (() => void)[] = [];
  #stalls = false;

  /** Holds every sync until `goOn`. */
  stall(): void {
    this.#stalls = true;
  }

  goOn(): void {
    this.#stalls = false;
    for (const each of this.#stalled.splice(0)) each();
  }

  readonly sync: Sync = (descriptor, done) => {
    const path = pathOf(descriptor);
    const found = readFileSync(path);
    const sync = () => {
      if (this.refuses(path)) return done(new Error('no space left on device'));
      this.syncs.push(path.slice(path.lastIndexOf('.')));
      this.#synced.set(path, found);
      done(null);
    };
    if (this.#stalls) this.#stalled.push(sync);
    else setImmediate(sync);
  };

  /** Creates a data folder as it is after a power cut. `chance` tells whether a database's whole write-ahead log reached the disk. */
  cut(name: string, chance: (database: string) => boolean): string {
    const copy = join(folder, name);
    mkdirSync(join(copy, 'commit-logs'), { recursive: true });
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.db')))
      cpSync(join(folder, file), join(copy, file));
    for (const database of names) {
      const wal = join(folder, `${database}.db-wal`);
      const found = chance(database) ? readFileSync(wal) : this.#synced.get(wal);
      if (found) writeFileSync(join(copy, `${database}.db-wal`), found);
    }
    for (const [path, found] of this.#synced)
      if (path.endsWith('.log')) writeFileSync(join(copy, 'commit-logs', path.split('/').at(-1)!), found);
    return copy;
  }
}

function pathOf(descriptor: number): string {
  const { ino } = fstatSync(descriptor);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((each) => join(folder, each));
  return files.find((each) => statSync(each).ino === ino)!;
}

const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};

describe('after a power cut', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'all databases have the state of one moment, with all confirmed commits (%i)',
    async (seed) => {
      const machine = new Machine();
      const chance = random(seed);
      const [orders, payments, stock] = await startAlone(machine.sync);
      const [told, cuts]: [number[], { folder: string; told: number[] }[]] = [[], []];
      const place = async (id: number) => {
        await turns(Math.floor(chance() * 60));
        now += 1;
        await writeAhead(orders!, id);
        await writeAhead(payments!, id);
        await write(stock!, id);
        told.push(id);
      };
      const all = Promise.all(Array.from({ length: 60 }, (_, n) => place(n + 2)));
      while (told.length < 60) {
        await turns(Math.floor(chance() * 6));
        cuts.push({ folder: machine.cut(`cut-${cuts.length}`, () => chance() < 0.5), told: [...told] });
      }
      await all;
      expect(cuts.length).toBeGreaterThan(5);
      for (const cut of cuts) {
        const found = await Promise.all(start(cut.folder).map(idsIn));
        expect(found[2]).toEqual(expect.arrayContaining(cut.told));
        for (const [later, earlier] of [
          [found[2]!, found[1]!],
          [found[1]!, found[0]!],
        ] as const)
          expect(earlier).toEqual(expect.arrayContaining(later));
      }
    },
  );

  it('this holds also after a restart of the log and checkpoints of the databases', async () => {
    const machine = new Machine();
    const [orders, payments] = await startAlone(machine.sync);
    const text = 'x'.repeat(50_000);
    for (let id = 2; id < 400; id++) await Promise.all([write(orders!, id, text), write(payments!, id)]);
    const [found] = await Promise.all(start(machine.cut('cut', () => false)).map(idsIn));
    expect(found).toHaveLength(400);
    const own = machine.syncs.filter((ending) => ending === '.db-wal').length;
    expect(own).toBeGreaterThan(10);
    expect(own).toBeLessThan(100);
  });

  it('an older copy of a database is left unchanged', async () => {
    const machine = new Machine();
    const [orders] = await startAlone(machine.sync);
    const older = join(folder, 'older.db');
    new Sqlite(join(folder, 'orders.db')).exec(`VACUUM INTO '${older}'`).close();
    const text = 'x'.repeat(50_000);
    for (let id = 2; id < 500; id++) await write(orders!, id, text);
    const cut = machine.cut('cut', () => false);
    cpSync(older, join(cut, 'orders.db'));
    rmSync(join(cut, 'orders.db-wal'));
    const [found] = start(cut);
    expect(await idsIn(found!)).toEqual([0, 1]);
    expect(await found!.db.all(sql`pragma quick_check`)).toEqual([{ quick_check: 'ok' }]);
  });

  it('an incomplete record is ignored', async () => {
    const machine = new Machine();
    const [orders, payments] = await startAlone(machine.sync);
    for (const id of [2, 3]) await Promise.all([write(orders!, id), write(payments!, id)]);
    const cut = machine.cut('cut', () => false);
    const logs = join(cut, 'commit-logs');
    const log = join(logs, readdirSync(logs).find((each) => each.endsWith('.log'))!);
    truncateSync(log, readFileSync(log).length - 1);
    expect((await Promise.all(start(cut).map(idsIn))).slice(0, 2)).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });
});

it('changes nothing after a crash of only the process, and removes its log', async () => {
  const machine = new Machine();
  const [orders, payments] = await startAlone(machine.sync);
  await Promise.all([write(orders!, 2), write(payments!, 2)]);
  machine.stall();
  await writeAhead(orders!, 3);
  expect(await idsIn(orders!)).toEqual([0, 1, 2]);
  const after = machine.cut('after', () => true);
  machine.goOn();
  expect((await Promise.all(start(after).map(idsIn))).slice(0, 2)).toEqual([
    [0, 1, 2, 3],
    [0, 1, 2],
  ]);
  expect(readdirSync(join(after, 'commit-logs')).filter((each) => each.endsWith('.log'))).toEqual([]);
});

it('syncs the commits of all databases at once', async () => {
  const machine = new Machine();
  const databases = await startAlone(machine.sync);
  machine.syncs.length = 0;
  await Promise.all(databases.map((each) => write(each, 2)));
  expect(machine.syncs).toEqual(['.log']);
});

it('syncs each write-ahead log while the commit log cannot be written', async () => {
  const machine = new Machine();
  const databases = await startAlone(machine.sync);
  let refusals = 1;
  machine.refuses = (file) => file.endsWith('.log') && refusals-- > 0;
  await Promise.all(databases.map((each) => write(each, 2)));
  for (const ids of await Promise.all(start(machine.cut('full', () => false)).map(idsIn))) expect(ids).toContain(2);
  await Promise.all(databases.map((each) => write(each, 3)));
  const found = await Promise.all(start(machine.cut('cut', () => false)).map(idsIn));
  for (const ids of found) expect(ids).toContain(3);
});

it('lets each commit sync while its file cannot be created', async () => {
  const databases = start();
  for (const each of databases) await write(each, 0);
  now += 15_000;
  writeFileSync(join(folder, 'commit-logs'), '');
  for (const each of databases) await write(each, 1);
  rmSync(join(folder, 'commit-logs'));
  now += 15_000;
  for (const each of databases) await write(each, 2);
  expect(readdirSync(join(folder, 'commit-logs')).filter((each) => each.endsWith('.log'))).toHaveLength(1);
});

it('keeps commits of another process after the last record', async () => {
  const machine = new Machine();
  const [orders, payments] = await startAlone(machine.sync);
  await Promise.all([write(orders!, 2), write(payments!, 2)]);
  const other = openSqlite('orders', join(folder, 'orders.db'), migrations, undefined, undefined, { now: () => now });
  await write(other, 3);
  const found = await Promise.all(start(machine.cut('cut', (name) => name === 'orders')).map(idsIn));
  expect(found.slice(0, 2)).toEqual([
    [0, 1, 2, 3],
    [0, 1, 2],
  ]);
  await other.close();
});

it('covers a database without writes since its opening', async () => {
  await Promise.all((await startAlone()).map((each) => each.close()));
  open = [];
  const [orders] = start();
  now += 15_000;
  await orders!.work(async ({ db }) => void (await db.all(sql`select id from notes`)));
  now += 15_000;
  await write(orders!, 2);
  expect(await idsIn(orders!)).toEqual([0, 1, 2]);
});

it('refuses a commit whose database cannot report its state', async () => {
  const log = new CommitLog(undefined, { now: () => now });
  const broken = {
    ...{ name: 'broken', wal: join(folder, 'broken.db-wal'), onDisk() {} },
    written: () => {
      throw new Error('disk I/O error');
    },
  };
  log.join(broken);
  await expect(log.committed(broken, true)).rejects.toThrow('disk I/O error');
  await expect(log.onDisk()).rejects.toThrow('disk I/O error');
});

it('does not cover a database that another process writes to', async () => {
  const machine = new Machine();
  const [orders, payments] = await startAlone(machine.sync);
  await Promise.all([write(orders!, 2), write(payments!, 2)]);
  const other = openSqlite('orders', join(folder, 'orders.db'), migrations, undefined, undefined, { now: () => now });
  await write(other, 3);
  await Promise.all([write(orders!, 4), write(payments!, 4)]);
  await write(other, 5);
  const found = await Promise.all(start(machine.cut('cut', (name) => name === 'orders')).map(idsIn));
  expect(found.slice(0, 2)).toEqual([
    [0, 1, 2, 3, 4, 5],
    [0, 1, 2, 4],
  ]);
  await other.close();
});
