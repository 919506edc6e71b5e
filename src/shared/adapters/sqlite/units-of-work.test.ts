import { AsyncLocalStorage } from 'node:async_hooks';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { currentContext, currentUnit, refuseInsideUnit, runInContext } from '../../kernel/context/index.ts';
import { defineTables, isUniqueConflict, type Migration, probeWrite, type Unit } from '../../kernel/database/index.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { openSqlite } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-data-'));
const file = join(folder, 'notes.db');
const migrations = [{ name: '0001', sqlite: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)' }];
const tables = defineTables(({ table, text, integer }) => ({
  notes: table('notes', { id: integer('id').primaryKey(), text: text('text').notNull() }),
}));
const database = openSqlite('notes', file, migrations);
afterAll(() => database.close());

const write = (unit: Unit, text: string) => unit.db.insert(tables(unit).notes).values({ text });
const texts = async () => (await database.db.select().from(tables(database).notes)).map(({ text }) => text);

describe('a unit of work', () => {
  it('is visible to readers only after its commit', async () => {
    await database.work(async (unit) => {
      await write(unit, 'first');
      expect(await texts()).toEqual([]);
      expect(await unit.db.select().from(tables(unit).notes)).toHaveLength(1);
    });
    expect(await texts()).toEqual(['first']);
  });

  it('counts the statements of its own task', async () => {
    const usages = [1, 0, 3].map((times) => ({ times, usage: { statements: 0, diskMs: 0 } }));
    await Promise.all(
      usages.map(({ times, usage }) =>
        database.work(async (unit) => {
          await texts();
          for (let n = 0; n < times; n++) await unit.db.select().from(tables(unit).notes);
        }, usage),
      ),
    );
    expect(usages.map(({ usage }) => usage.statements)).toEqual([1, 0, 3]);
  });

  it('waits for a writing process without blocking this one', async () => {
    const other = new Sqlite(file);
    other.exec('BEGIN IMMEDIATE');
    const waiting = database.work(async (unit) => void (await write(unit, 'behind another')));
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(await texts()).not.toContain('behind another');
    other.exec('COMMIT');
    other.close();
    await waiting;
    expect(await texts()).toContain('behind another');
    await database.work(async (unit) => {
      await unit.db.delete(tables(unit).notes).where(sql`text = 'behind another'`);
    });
  });

  it.each(['a', 'b', 'c', 'ab', 'bc', 'ac', 'abc'])(
    'leaves nothing when it throws, and does not affect other units of its group (%s of abc)',
    async (failing) => {
      const outcomes = await Promise.allSettled(
        ['a', 'b', 'c'].map((text) =>
          database.work(async (unit) => {
            await write(unit, `group ${text}`);
            if (failing.includes(text)) throw new Error('no');
            return text;
          }),
        ),
      );
      const left = ['a', 'b', 'c'].filter((text) => !failing.includes(text));
      expect(outcomes.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))).toEqual(left);
      expect(await texts()).toEqual(['first', ...left.map((text) => `group ${text}`)]);
      await database.work(async (unit) => {
        await unit.db.delete(tables(unit).notes).where(sql`text LIKE 'group %'`);
      });
    },
  );

  it('runs after earlier units, in their order', async () => {
    const log: string[] = [];
    await Promise.all(
      [1, 2, 3].map((n) =>
        database.work(async () => {
          log.push(`${n} begins`);
          await Promise.resolve();
          log.push(`${n} ends`);
        }),
      ),
    );
    expect(log).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
  });

  it('runs its commit hooks when the commit is on disk, and not after a rollback', async () => {
    const log: string[] = [];
    const other = new Sqlite(file, { readonly: true });
    await database.work(async (unit) => {
      await write(unit, 'durable');
      unit.afterCommit(() =>
        log.push(String(other.prepare("SELECT count(*) AS n FROM notes WHERE text = 'durable'").pluck().get())),
      );
    });
    await expect(
      database.work(async (unit) => {
        unit.afterCommit(() => log.push('never'));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(log).toEqual(['1']);
    other.close();
  });

  it('is the only way to write: the reader and a handle after the unit cannot write', async () => {
    let kept: Unit | undefined;
    await database.work(async (unit) => {
      kept = unit;
    });
    await expect(async () => await write(kept!, 'late')).rejects.toThrow(/outside its unit of work/);
    await expect(async () => await write(database as unknown as Unit, 'read only')).rejects.toThrow(/readonly/);
    await database.work(async () => {
      await expect(async () => await write(database as unknown as Unit, 'read only')).rejects.toThrow(/readonly/);
    });
  });

  it('runs in the context of its caller in any group, and its hooks run without a context', async () => {
    const callers = new AsyncLocalStorage<string>();
    const seen = new Map<string, unknown[]>();
    const travels = () => [currentContext()?.requestId, callers.getStore(), currentUnit.getStore()?.database];
    const as = (requestId: string) =>
      callers.run(requestId, () =>
        runInContext({ requestId, caller: 'test', deadline: 0 }, () =>
          database.work(async (unit) => {
            seen.set(requestId, [travels()]);
            unit.afterCommit(() => seen.get(requestId)!.push(travels()));
          }),
        ),
      );
    const nothing = [undefined, undefined, undefined];
    await Promise.all(['a', 'b', 'c'].map(as));
    await vi.waitFor(() => expect([...seen]).toEqual(['a', 'b', 'c'].map((id) => [id, [[id, id, 'notes'], nothing]])));
  });

  it('succeeds when a commit hook fails: the failure is logged, and the other hooks run', async () => {
    const errors: unknown[][] = [];
    const log = { ...silentLog, error: (...line: unknown[]) => errors.push(line) } as unknown as Log;
    const own = openSqlite('own', join(folder, 'own.db'), migrations, log);
    const last = Promise.withResolvers<void>();
    const done = own.work(async (unit) => {
      await write(unit, 'stays');
      unit.afterCommit(() => {
        throw new Error('thrown');
      });
      unit.afterCommit(async () => {
        throw new Error('rejected');
      });
      unit.afterCommit(last.resolve);
      return 'done';
    });
    expect(await done).toBe('done');
    await last.promise;
    await vi.waitFor(() => expect(errors).toHaveLength(2));
    expect(errors.map(([fields]) => (fields as { error: Error }).error.message)).toEqual(['thrown', 'rejected']);
    expect(await own.db.select().from(tables(own).notes)).toHaveLength(1);
    await own.close();
  });

  it('refuses calls of a leftover task after its rollback', async () => {
    const late = Promise.withResolvers<void>();
    const called = Promise.withResolvers<unknown>();
    const unit = database.work(async () => {
      late.promise.then(() => refuseInsideUnit({ module: 'mail', name: 'send' })).catch(called.resolve);
      throw new Error('cut off');
    });
    await expect(unit).rejects.toThrow('cut off');
    late.resolve();
    expect(String(await called.promise)).toMatch(/mail\.send was called by a task whose unit of work of "notes"/);
  });

  it('cannot be nested', async () => {
    await expect(database.work(() => database.work(async () => {}))).rejects.toThrow(/inside another/);
    await database.work(async (unit) => void (await write(unit, 'and goes on')));
  });

  it('reports a violated unique constraint', async () => {
    const error = await database
      .work(async (unit) => void (await write(unit, 'first')))
      .catch((caught: unknown) => caught);
    expect(isUniqueConflict(error)).toBe(true);
    expect(isUniqueConflict(new Error('other'))).toBe(false);
  });
});

describe('opening a database', () => {
  const opening = (path: string) => () => openSqlite('notes', path, migrations);

  it('applies each migration once', async () => {
    const more: Migration = { name: '0002', phase: 'expand', sqlite: 'CREATE TABLE more (id INTEGER)' };
    for (let time = 0; time < 2; time++) await openSqlite('notes', file, [...migrations, more]).close();
  });

  it('names the problem of an unusable file', () => {
    const damaged = join(folder, 'damaged.db');
    writeFileSync(damaged, 'this is not a database, and longer than the header of one is: '.repeat(20));
    expect(opening(damaged)).toThrow(/"notes".*damaged\.db.*damaged or is not a database/);
    expect(opening(join(file, 'below-a-file.db'))).toThrow(/part of the path is a file/);
  });

  it('refuses writes when its file was removed', async () => {
    const gone = join(folder, 'gone.db');
    const opened = openSqlite('notes', gone, migrations);
    rmSync(gone);
    for (const written of [opened.work(async (unit) => void (await write(unit, 'lost'))), probeWrite(opened)])
      await expect(written).rejects.toMatchObject({
        code: 'unavailable',
        cause: { message: expect.stringMatching(/gone\.db took no write: it was removed or replaced/) },
      });
    await opened.close();
  });

  it('names the file and the solution when the disk is full, keeps its data, and continues when there is space', async () => {
    const small = join(folder, 'small.db');
    const opened = openSqlite('notes', small, migrations);
    await opened.work(async (unit) => void (await write(unit, 'before')));
    const fill = opened.work(async (unit) => {
      await unit.db.run(sql`PRAGMA max_page_count = 8`);
      await write(unit, 'x'.repeat(100_000));
    });
    await expect(fill).rejects.toMatchObject({
      code: 'unavailable',
      message: '"notes" can keep nothing at the moment',
      cause: { message: expect.stringMatching(/small\.db took no write: the disk is full/) },
    });
    await opened.work(async (unit) => {
      await unit.db.run(sql`PRAGMA max_page_count = 100000`);
      await write(unit, 'after');
    });
    const kept = await opened.db.select().from(tables(opened).notes);
    expect(kept.map(({ text }) => text)).toEqual(['before', 'after']);
    await opened.close();
  });

  it('makes the file readable only by its owner', () => {
    chmodSync(file, 0o644);
    void openSqlite('notes', file, migrations).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
