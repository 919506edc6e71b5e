import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { inventory } from '../contract.ts';
import { changeState, findReservation } from './reservations.ts';

export async function takeReserved({ orderId }: { orderId: string }, unit: ModuleUnit) {
  const known = await findReservation(unit, orderId);
  if (known?.state !== 'held' && known?.state !== 'taken') throw inventory.refuse('reservation-over');
  await changeState(unit, orderId, 'taken');
  return { orderId, state: 'taken' as const };
}
