import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openSqlite } from '../../src/shared/adapters/sqlite/sqlite.ts';
import { ServiceTracerProvider } from '../../src/shared/control/traces/provider.ts';
import type { Database } from '../../src/shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../src/shared/kernel/module/index.ts';
import { traceUnit } from '../../src/shared/kernel/module/trace-unit.ts';
import { fromTraceFields, ofService, startSpan, withTrace } from '../../src/shared/kernel/telemetry/index.ts';

let ended: ReadableSpan[] = [];
const parts = { ownService: 'home', resource: {}, sampling: { ratio: 1, byParent: true } };
trace.setGlobalTracerProvider(new ServiceTracerProvider({ ...parts, ended: (span) => void ended.push(span) }));

beforeEach(() => {
  ended = [];
  vi.restoreAllMocks();
});

/** Opens data that no other process shares, on a disk that writes a commit when the test says so. */
async function openShop() {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-units-'));
  const disk: (() => void)[] = [];
  let isSlow = false;
  const sync = (_: number, done: (error: Error | null) => void) =>
    isSlow ? void disk.push(() => done(null)) : done(null);
  // For the first fifteen seconds, SQLite syncs by itself, in case another process writes.
  let now = 0;
  const migrations = [{ name: '0001', sqlite: 'CREATE TABLE notes (text TEXT NOT NULL)' }];
  const file = join(folder, 'shop.db');
  const database = openSqlite('shop', file, migrations, undefined, undefined, { sync, now: () => now });
  await write(database, 1);
  now += 15_000;
  await write(database, 1);
  ended = [];
  isSlow = true;
  onTestFinished(async () => {
    isSlow = false;
    for (const done of disk.splice(0)) done();
    await database.close();
    rmSync(folder, { recursive: true });
  });
  const busy = async () => {
    while (disk.length === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  const writesFor = (ms: number) => {
    now += ms;
    for (const done of disk.splice(0)) done();
  };
  return { database, busy, writesFor };
}

/** Runs a unit of work in a trace of its own. */
function unitOf(
  database: Database,
  task: (unit: ModuleUnit) => Promise<void>,
  how: 'work' | 'workAhead' = 'work',
): Promise<void> {
  const { context } = startSpan('request', {}, ofService('shop'));
  return withTrace(context, () =>
    traceUnit('shop', task, (traced, usage) => database[how]((unit) => traced(unit as ModuleUnit), usage)),
  );
}

const insert = ({ db }: ModuleUnit) => db.run(sql`INSERT INTO notes VALUES ('note')`);
const write = (database: Database, notes: number, how?: 'workAhead') =>
  unitOf(
    database,
    async (unit) => {
      for (let n = 0; n < notes; n++) await insert(unit);
    },
    how,
  );

const units = () => ended.filter(({ name }) => name === 'unit of work shop');

describe('the span of a unit of work', () => {
  it('tells its statements, and its wait for the disk', async () => {
    const { database, busy, writesFor } = await openShop();
    const writing = [write(database, 3), write(database, 2)];
    await busy();
    writesFor(7);
    await Promise.all(writing);
    const ofAll = { 'db.system.name': 'sqlite', 'db.namespace': 'shop', 'kerf.unit.disk_ms': 7 };
    expect(units().map(({ attributes }) => attributes)).toEqual([
      { ...ofAll, 'kerf.unit.statements': 3, 'kerf.unit.queue_ms': expect.any(Number) },
      { ...ofAll, 'kerf.unit.statements': 2, 'kerf.unit.queue_ms': expect.any(Number) },
    ]);
  });

  it('tells its wait for its turn, behind a unit that takes 5 ms', async () => {
    const { database, busy, writesFor } = await openShop();
    const clock = performance.now.bind(performance);
    const slow = unitOf(database, async () => {
      vi.spyOn(performance, 'now').mockImplementation(() => clock() + 5);
    });
    const behind = write(database, 1);
    await busy();
    writesFor(1);
    await Promise.all([slow, behind]);
    expect(units()[1]!.attributes['kerf.unit.queue_ms']).toBeGreaterThanOrEqual(5);
  });

  it('tells no wait for the disk when its caller did not wait for the disk', async () => {
    const { database, busy } = await openShop();
    await write(database, 1, 'workAhead');
    expect(units()[0]!.attributes).toMatchObject({ 'kerf.unit.statements': 1, 'kerf.unit.disk_ms': 0 });
    await busy();
  });

  it('tells them also when the unit fails', async () => {
    const { database, busy, writesFor } = await openShop();
    const failing = unitOf(database, async (unit) => {
      await insert(unit);
      throw new TypeError('no');
    });
    const outcome = expect(failing).rejects.toThrow('no');
    await busy();
    writesFor(7);
    await outcome;
    const attributes = { 'error.type': 'TypeError', 'kerf.unit.statements': 1, 'kerf.unit.disk_ms': 7 };
    expect(units()[0]!.attributes).toMatchObject(attributes);
  });

  it('does not exist in a trace that is not sampled, and nothing is counted', async () => {
    const given: unknown[] = [];
    const context = fromTraceFields({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` })!;
    await withTrace(context, () =>
      traceUnit(
        'shop',
        async () => {},
        async (traced, usage) => {
          given.push(usage);
          return traced({} as ModuleUnit);
        },
      ),
    );
    expect([given, ended]).toEqual([[undefined], []]);
  });
});
