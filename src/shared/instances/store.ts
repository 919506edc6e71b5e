import { asc, eq, gt, inArray, lte, type Placeholder, sql } from 'drizzle-orm';
import { prepared, type Reader, type Unit } from '../data/index.ts';
import { type InstanceRow, instanceTables } from './tables.ts';

const { placeholder } = sql;

const living = prepared((reader) => {
  const { instances } = instanceTables(reader);
  return reader.db
    .select()
    .from(instances)
    .where(gt(instances.until, placeholder('now')))
    .orderBy(asc(instances.id))
    .prepare();
});

/** The ids of the instances that live at `now`, for a query that asks whether an owner is one of them. */
export function livingInstances(reader: Reader, now: number | Placeholder) {
  const { instances } = instanceTables(reader);
  return reader.db.select({ id: instances.id }).from(instances).where(gt(instances.until, now));
}

/** Those that live at `now`, the oldest first. */
export async function listInstances(reader: Reader, now: number): Promise<InstanceRow[]> {
  return living(reader).execute({ now });
}

export async function addInstance(unit: Unit, row: InstanceRow): Promise<void> {
  await unit.db.insert(instanceTables(unit).instances).values(row);
}

/** Returns whether it was still there. */
export async function renewInstance(unit: Unit, id: string, until: number): Promise<boolean> {
  const { instances } = instanceTables(unit);
  const renewed = await unit.db
    .update(instances)
    .set({ until })
    .where(eq(instances.id, id))
    .returning({ id: instances.id });
  return renewed.length > 0;
}

export async function removeInstances(unit: Unit, ids: readonly string[]): Promise<void> {
  const { instances } = instanceTables(unit);
  await unit.db.delete(instances).where(inArray(instances.id, [...ids]));
}

export async function removeExpiredInstances(unit: Unit, now: number): Promise<void> {
  const { instances } = instanceTables(unit);
  await unit.db.delete(instances).where(lte(instances.until, now));
}
