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

/** Has no instance count for longer than until `latest`. */
export async function shortenLeases(unit: Unit, latest: number): Promise<void> {
  const { instances } = instanceTables(unit);
  await unit.db.update(instances).set({ until: latest }).where(gt(instances.until, latest));
}

export async function removeInstances(unit: Unit, ids: readonly string[]): Promise<void> {
  const { instances } = instanceTables(unit);
  await unit.db.delete(instances).where(inArray(instances.id, [...ids]));
}

/** Returns their ids. */
export async function removeExpiredInstances(unit: Unit, now: number): Promise<string[]> {
  const { instances } = instanceTables(unit);
  const removed = await unit.db.delete(instances).where(lte(instances.until, now)).returning({ id: instances.id });
  return removed.map(({ id }) => id);
}

const lead = prepared((reader) => reader.db.select().from(instanceTables(reader).lead).prepare());

/** Who leads, and since which term. */
export async function readLead(reader: Reader): Promise<Pick<LeadRow, 'holder' | 'term'>> {
  return (await lead(reader).execute())[0]!;
}

/** Takes the lead for an instance that lives, unless one that lives holds it. Returns the term. */
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

/** Gives up the lead, if it is this one's. */
export async function freeLead(unit: Unit, id: string): Promise<void> {
  const { lead } = instanceTables(unit);
  await unit.db.update(lead).set({ holder: null }).where(eq(lead.holder, id));
}
