import type { Clock } from '../../../shared/kernel/context/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { inventory } from '../contract.ts';
import { addReservation, findReservation } from './reservations.ts';
import { take } from './stock.ts';
import type { ReservedLine } from './tables.ts';

export function reserve(clock: Clock, heldForMs: number) {
  return async ({ orderId, lines }: { orderId: string; lines: ReservedLine[] }, unit: ModuleUnit) => {
    const known = await findReservation(unit, orderId);
    if (known?.state === 'held' || known?.state === 'taken') return { orderId, state: known.state };
    if (known) throw inventory.refuse('reservation-over');
    for (const line of lines) await take(line, unit);
    await addReservation(unit, { orderId, state: 'held', lines, expiresAt: clock.now() + heldForMs });
    return { orderId, state: 'held' as const };
  };
}
