import { expect, it, vi } from 'vitest';
import type { WrittenGroup } from '../database/index.ts';
import { GroupCommit } from './group-commit.ts';
import type { Following } from './queued-unit.ts';
import type { Transaction } from './transaction.ts';

/** A disk that stays busy until the test ends its sync. */
class BusyDisk {
  readonly log: string[] = [];
  readonly #syncs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #syncing: Promise<void> | undefined;
  readonly transaction: Transaction;

  constructor() {
    const syncing = () => this.#syncing;
    this.transaction = {
      ...quiet,
      get busy() {
        return syncing();
      },
      commit: () => void this.log.push('commit'),
      sync: () => {
        this.#syncing = new Promise<void>((resolve, reject) => this.#syncs.push({ resolve, reject }));
        return this.#syncing;
      },
    };
  }

  /** Ends the sync in flight, after all work that can run before it. */
  async end(error?: Error): Promise<void> {
    await idle();
    const { resolve, reject } = this.#syncs.shift()!;
    if (error) reject(error);
    else {
      resolve();
      this.#syncing = undefined;
    }
    await idle();
  }
}

async function idle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const quiet: Transaction = {
  ...{ logIsLong: false, busy: undefined, restsOn: undefined, begun() {}, ended() {} },
  ...{ begin() {}, save() {}, release() {}, undo() {}, commit() {}, rollback() {} },
  sync: async () => {},
};
const outcomes = async (group: GroupCommit, tasks: (() => Promise<unknown>)[]) =>
  (await Promise.allSettled(tasks.map((task) => group.run(task)))).map((each) =>
    each.status === 'fulfilled' ? each.value : (each.reason as Error).message,
  );
const fails = (message: string) => () => {
  throw new Error(message);
};

it('rejects every unit of a group whose commit failed', async () => {
  const group = new GroupCommit('full', { ...quiet, commit: fails('disk full') });
  expect(await outcomes(group, [async () => 1, async () => 2])).toEqual(['disk full', 'disk full']);
});

it('settles every unit when the database has ended the transaction by itself', async () => {
  const group = new GroupCommit('full', { ...quiet, undo: fails('no such savepoint') });
  expect(await outcomes(group, [async () => 1, fails('disk full'), async () => 3])).toEqual([
    'no such savepoint',
    'disk full',
    3,
  ]);
});

it('continues with the next unit when the first one fails and rolls back the transaction', async () => {
  const group = new GroupCommit('full', { ...quiet, undo: fails('no such savepoint') });
  expect(await outcomes(group, [fails('disk full'), async () => 2])).toEqual(['disk full', 2]);
});

it('rejects each waiting unit while the database cannot begin a transaction', async () => {
  let busy = 2;
  const group = new GroupCommit('busy', { ...quiet, begin: () => (busy-- > 0 ? fails('busy')() : undefined) });
  expect(await outcomes(group, [async () => 1, async () => 2, async () => 3])).toEqual(['busy', 'busy', 3]);
});

it('rolls back a unit that stays open too long, and continues with the next', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const group = new GroupCommit('slow', quiet);
  const answers = outcomes(group, [() => new Promise(() => {}), async () => 2]);
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(5_000);
  expect(await answers).toEqual([expect.stringContaining('was open for 5000 ms and was rolled back'), 2]);
  vi.useRealTimers();
});

it('commits all waiting units together, and a later unit separately', async () => {
  let commits = 0;
  const group = new GroupCommit('counted', { ...quiet, commit: () => void commits++ }, () => 0);
  const written: WrittenGroup[] = [];
  group.onWritten = (each) => written.push(each);
  await outcomes(
    group,
    Array.from({ length: 100 }, () => async () => {}),
  );
  expect(commits).toBe(1);
  await group.run(async () => {});
  expect(commits).toBe(2);
  expect(written).toEqual([
    { units: 100, ms: 0 },
    { units: 1, ms: 0 },
  ]);
});

it('settles successful and failed units when their group is on disk; later units join the next group', async () => {
  const disk = new BusyDisk();
  const group = new GroupCommit('busy', disk.transaction);
  const run = (name: string, ok = true) =>
    group
      .run(async () => {
        disk.log.push(`runs ${name}`);
        if (!ok) throw new Error(name);
      })
      .then(
        () => disk.log.push(`done ${name}`),
        () => disk.log.push(`refused ${name}`),
      );
  const all = [run('a'), run('b', false)];
  await idle();
  all.push(run('c'));
  await idle();
  all.push(run('d'));
  await disk.end();
  await disk.end();
  await Promise.all(all);
  expect(disk.log).toEqual([
    ...['runs a', 'runs b', 'commit', 'runs c', 'done a', 'refused b'],
    ...['runs d', 'commit', 'done c', 'done d'],
  ]);
});

it('adds to the usage of a unit how long it waits for the disk after its task', async () => {
  let now = 0;
  const disk = new BusyDisk();
  const group = new GroupCommit('slow', disk.transaction, () => now);
  const usages = [0, 1, 2].map(() => ({ statements: 0, diskMs: 0 }));
  const seen: unknown[] = [];
  const run = (index: number, ahead: boolean) =>
    group.run(async () => {}, ahead, usages[index]).then(() => seen.push([index, usages[index]!.diskMs]));
  const first = run(0, false);
  await idle();
  now = 30;
  const others = [run(1, true), run(2, false)];
  await idle();
  now = 50;
  await disk.end();
  now = 57;
  await disk.end();
  await Promise.all([first, ...others]);
  expect(seen).toEqual([
    [0, 50],
    [1, 20],
    [2, 27],
  ]);
});

it('counts a sync within the commit as a wait for the disk, also for a unit that goes on before', async () => {
  let now = 0;
  const commit = () => {
    now += 5;
  };
  const group = new GroupCommit('shared', { ...quiet, commit }, () => now);
  const written: WrittenGroup[] = [];
  group.onWritten = (each) => written.push(each);
  const usages = [0, 1].map(() => ({ statements: 0, diskMs: 0 }));
  await Promise.all(usages.map((usage, index) => group.run(async () => {}, index === 1, usage)));
  await idle();
  expect(usages.map(({ diskMs }) => diskMs)).toEqual([5, 5]);
  expect(written).toEqual([{ units: 2, ms: 5 }]);
});

it('commits nothing more after a failed sync, and reports it', async () => {
  const disk = new BusyDisk();
  const group = new GroupCommit('worn', disk.transaction);
  const first = outcomes(group, [async () => 1, fails('refused by itself')]);
  await idle();
  const second = outcomes(group, [async () => 2]);
  await disk.end(new Error('input/output error'));
  const told = 'the disk did not confirm a commit of "worn": check the disk, then restart';
  expect(await first).toEqual([told, 'refused by itself']);
  expect([await second, await outcomes(group, [async () => 3])]).toEqual([[told], [told]]);
  expect(disk.log).toEqual(['commit']);
  expect(group.idle).toBe(true);
});

it.each<[string, boolean, boolean, (follow: Following) => unknown]>([
  ['a unit whose caller waits for the disk', false, true, () => {}],
  ['a unit whose caller goes on before', true, false, () => {}],
  ['a unit with a hook that goes on before', false, false, ({ ahead }) => ahead(() => {})],
  ['a unit with a hook that waits for the disk', true, true, ({ afterCommit }) => afterCommit(() => {})],
  ['a unit that fails', true, true, fails('refused')],
])('hurries the disk, or does not: %s', async (_, isAhead, isUrgent, task) => {
  const asked: boolean[] = [];
  const group = new GroupCommit('urgent', { ...quiet, sync: async (urgent) => void asked.push(urgent) });
  await group.run(async (follow) => void task(follow), isAhead).catch(() => {});
  expect(asked).toEqual([isUrgent]);
});
