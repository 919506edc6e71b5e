import { ManualClock } from 'kerf/context';
import type { Database } from 'kerf/database';
import type { ModuleUnit } from 'kerf/module';
import { SharedFile } from 'kerf/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expire, reservationOf, reserve } from './reservations.ts';
import { migrations, tables } from './store.ts';

const heldForMs = 900_000;
const hoursMs = 7_200_000;
let clock: ManualClock;
let file: SharedFile;
let database: Database;

beforeEach(async () => {
  clock = new ManualClock();
  file = new SharedFile(migrations);
  database = file.open();
  await work(async (unit) => void (await unit.db.insert(tables(unit).stock).values({ sku: 'OIL', available: 3 })));
});

afterEach(() => file.close());

const work = <T>(task: (unit: ModuleUnit) => Promise<T>) =>
  database.work((unit) => task(Object.assign(unit as ModuleUnit, { clock })));
const expiring = async (unit: ModuleUnit) => void (await expire(heldForMs).run(unit));
const hold = () => work((unit) => reserve(heldForMs)({ orderId: 'order', lines: [{ sku: 'OIL', quantity: 2 }] }, unit));
const state = () => work(async (unit) => (await reservationOf(unit, 'order'))?.state);

it('gives back what was held for its time, and not before', async () => {
  await hold();
  clock.advance(heldForMs - 1);
  await work(expiring);
  expect(await state()).toBe('held');
  clock.advance(1);
  await work(expiring);
  expect(await state()).toBe('released');
});

it('holds nothing for longer though the clock was hours ahead when it was reserved', async () => {
  clock.advance(hoursMs);
  await hold();
  clock.advance(-hoursMs);
  await work(expiring);
  expect(await state()).toBe('held');
  clock.advance(heldForMs);
  await work(expiring);
  expect(await state()).toBe('released');
});
