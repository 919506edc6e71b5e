import { eq, sql } from 'drizzle-orm';
import { insertInto, prepared, type Reader, rowsBy } from '../../../shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { type ReservationState, tables } from './tables.ts';

const { placeholder } = sql;

const byOrder = rowsBy((reader) => tables(reader).reservations, 'orderId');

export const addReservation = insertInto((reader) => tables(reader).reservations);

const setState = prepared((unit) => {
  const { reservations } = tables(unit);
  return unit.db
    .update(reservations)
    .set({ state: sql`${placeholder('state')}` })
    .where(eq(reservations.orderId, placeholder('orderId')))
    .prepare();
});

export async function findReservation(reader: Reader, orderId: string) {
  return (await byOrder(reader, orderId))[0];
}

export async function changeState(unit: ModuleUnit, orderId: string, state: ReservationState): Promise<void> {
  await setState(unit).execute({ orderId, state });
}
