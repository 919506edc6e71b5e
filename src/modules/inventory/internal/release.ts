import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { addReservation, changeState, findReservation } from './reservations.ts';
import { put } from './stock.ts';

/** Releases a reservation; a `taken` one becomes `returned`. Records an unknown one as released, so that a late command cannot make it. */
export async function release({ orderId }: { orderId: string }, unit: ModuleUnit) {
  const known = await findReservation(unit, orderId);
  if (!known) {
    await addReservation(unit, { orderId, state: 'released', lines: [], expiresAt: 0 });
    return { orderId, state: 'released' as const };
  }
  if (known.state === 'released' || known.state === 'returned') return { orderId, state: known.state };
  for (const line of known.lines) await put(line, unit);
  const state = known.state === 'taken' ? ('returned' as const) : ('released' as const);
  await changeState(unit, orderId, state);
  return { orderId, state };
}
