import { and, asc, eq, exists, gt, inArray, isNull, lte, notInArray, or, type Placeholder, sql } from 'drizzle-orm';
import { prepared, type Reader, type Unit } from '../database/index.ts';
import { type InstanceRow, instanceTables, type LeadRow } from './tables.ts';

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

/** Returns a subquery of the ids of the instances that are live at `now`, for a query that checks an owner. */
export function livingInstances(reader: Reader, now: number | Placeholder) {
  const { instances } = instanceTables(reader);
  return reader.db.select({ id: instances.id }).from(instances).where(gt(instances.until, now));
}

/** Returns the instances that are live at `now`, the oldest first. */
export async function listInstances(reader: Reader, now: number): Promise<InstanceRow[]> {
  return living(reader).execute({ now });
}

export async function addInstance(unit: Unit, row: InstanceRow): Promise<void> {
  await unit.db.insert(instanceTables(unit).instances).values(row);
}

/** Renews the lease of an instance. Returns whether the instance was still there. */
export async function renewInstance(unit: Unit, id: string, until: number): Promise<boolean> {
  const { instances } = instanceTables(unit);
  const renewed = await unit.db
    .update(instances)
    .set({ until })
    .where(eq(instances.id, id))
    .returning({ id: instances.id });
  return renewed.length > 0;
}

/** Shortens each lease that ends after `latest` to `latest`. */
export async function shortenLeases(unit: Unit, latest: number): Promise<void> {
  const { instances } = instanceTables(unit);
  await unit.db.update(instances).set({ until: latest }).where(gt(instances.until, latest));
}

export async function removeInstances(unit: Unit, ids: readonly string[]): Promise<void> {
  const { instances } = instanceTables(unit);
  await unit.db.delete(instances).where(inArray(instances.id, [...ids]));
}

/** Removes the expired instances and returns their ids. */
export async function removeExpiredInstances(unit: Unit, now: number): Promise<string[]> {
  const { instances } = instanceTables(unit);
  const removed = await unit.db.delete(instances).where(lte(instances.until, now)).returning({ id: instances.id });
  return removed.map(({ id }) => id);
}

const lead = prepared((reader) => reader.db.select().from(instanceTables(reader).lead).prepare());

/** Returns the id of the leader and its term. */
export async function readLead(reader: Reader): Promise<Pick<LeadRow, 'holder' | 'term'>> {
  // A migration inserts the only row.
  return (await lead(reader).execute())[0]!;
}

/** Takes the lead for a registered instance, unless a live instance holds it. Returns the new term, or `undefined`. */
export async function takeLead(unit: Unit, id: string, now: number): Promise<number | undefined> {
  const { lead, instances } = instanceTables(unit);
  const isFree = or(isNull(lead.holder), notInArray(lead.holder, livingInstances(unit, now)));
  const lives = unit.db.select({ id: instances.id }).from(instances).where(eq(instances.id, id));
  const taken = await unit.db
    .update(lead)
    .set({ holder: id, term: sql`${lead.term} + 1` })
    .where(and(isFree, exists(lives)))
    .returning({ term: lead.term });
  return taken[0]?.term;
}

/** Gives up the lead if this instance holds it. */
export async function freeLead(unit: Unit, id: string): Promise<void> {
  const { lead } = instanceTables(unit);
  await unit.db.update(lead).set({ holder: null }).where(eq(lead.holder, id));
}
