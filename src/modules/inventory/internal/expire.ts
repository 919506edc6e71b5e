import { sql } from 'drizzle-orm';
import type { Clock } from '../../../shared/kernel/context/index.ts';
import type { ModuleUnit, Timer } from '../../../shared/kernel/module/index.ts';
import { release } from './release.ts';
import { tables } from './tables.ts';

const portion = 200;

/** Releases expired reservations. */
export function expire(clock: Clock, heldForMs: number): Timer {
  return {
    name: 'expire reservations',
    everyMs: 1_000,
    async run(unit: ModuleUnit) {
      const { reservations } = tables(unit);
      const now = clock.now();
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
