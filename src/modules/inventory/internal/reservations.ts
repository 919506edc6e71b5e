import { eq, sql } from 'drizzle-orm';
import { prepared, type Reader } from '../../../shared/data/index.ts';
import type { ModuleUnit } from '../../../shared/module/index.ts';
import { type Line, type ReservationState, tables } from './tables.ts';

const { placeholder } = sql;

const byOrder = prepared((reader) => {
  const { reservations } = tables(reader);
  return reader.db
    .select()
    .from(reservations)
    .where(eq(reservations.orderId, placeholder('orderId')))
    .prepare();
});

const insertRow = prepared((unit) =>
  unit.db
    .insert(tables(unit).reservations)
    .values({
      orderId: placeholder('orderId'),
      state: placeholder('state'),
      lines: placeholder('lines'),
      expiresAt: placeholder('expiresAt'),
    })
    .prepare(),
);

const setState = prepared((unit) => {
  const { reservations } = tables(unit);
  return unit.db
    .update(reservations)
    .set({ state: sql`${placeholder('state')}` })
    .where(eq(reservations.orderId, placeholder('orderId')))
    .prepare();
});

export async function findReservation(reader: Reader, orderId: string) {
  return (await byOrder(reader).execute({ orderId }))[0];
}

export async function addReservation(
  unit: ModuleUnit,
  row: { orderId: string; state: ReservationState; lines: Line[]; expiresAt: number },
): Promise<void> {
  await insertRow(unit).execute(row);
}

export async function changeState(unit: ModuleUnit, orderId: string, state: ReservationState): Promise<void> {
  await setState(unit).execute({ orderId, state });
}
