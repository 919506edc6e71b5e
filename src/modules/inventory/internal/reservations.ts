import { sql } from 'drizzle-orm';
import { insertInto, rowBy, updateBy } from 'kerf/database';
import { handle, type Timer } from 'kerf/module';
import { inventory } from '../contract.ts';
import { restock, tables, takeFromStock } from './store.ts';

export const reservationOf = rowBy((reader) => tables(reader).reservations, 'orderId');
const addReservation = insertInto((unit) => tables(unit).reservations);
const changeState = updateBy((unit) => tables(unit).reservations, 'orderId', 'state');

export function reserve(heldForMs: number) {
  return handle(inventory.operations.reserve, async ({ orderId, lines }, unit) => {
    const known = await reservationOf(unit, orderId);
    if (known?.state === 'held' || known?.state === 'taken') return { orderId, state: known.state };
    if (known) throw inventory.refuse('reservation-over');
    for (const line of lines) await takeFromStock(line, unit);
    await addReservation(unit, { orderId, state: 'held', lines, expiresAt: unit.clock.now() + heldForMs });
    return { orderId, state: 'held' };
  });
}

export const take = handle(inventory.operations.take, async ({ orderId }, unit) => {
  const known = await reservationOf(unit, orderId);
  if (known?.state !== 'held' && known?.state !== 'taken') throw inventory.refuse('reservation-over');
  await changeState(unit, orderId, { state: 'taken' });
  return { orderId, state: 'taken' };
});

/** Releases a reservation; a `taken` one becomes `returned`. Records an unknown one as released, so that a late command cannot make it. */
export const release = handle(inventory.operations.release, async ({ orderId }, unit) => {
  const known = await reservationOf(unit, orderId);
  if (known?.state === 'returned') return { orderId, state: 'returned' };
  if (!known) await addReservation(unit, { orderId, state: 'released', lines: [], expiresAt: 0 });
  if (!known || known.state === 'released') return { orderId, state: 'released' };
  for (const line of known.lines) await restock(line, unit);
  const state = known.state === 'taken' ? 'returned' : 'released';
  await changeState(unit, orderId, { state });
  return { orderId, state };
});

const portion = 200;

/** Releases expired reservations. */
export function expire(heldForMs: number): Timer {
  return {
    name: 'expire reservations',
    everyMs: 1_000,
    async run(unit) {
      const { reservations } = tables(unit);
      const now = unit.clock.now();
      // A wrong clock may have written an expiry further away than any hold lasts. Shorten it.
      await unit.db
        .update(reservations)
        .set({ expiresAt: now + heldForMs })
        .where(sql`${reservations.state} = 'held' and ${reservations.expiresAt} > ${now + heldForMs}`);
      const over = await unit.db
        .select({ orderId: reservations.orderId })
        .from(reservations)
        .where(sql`${reservations.state} = 'held' and ${reservations.expiresAt} <= ${now}`)
        .limit(portion);
      for (const reservation of over) await release(reservation, unit);
      return over.length === portion ? 'again' : undefined;
    },
  };
}
