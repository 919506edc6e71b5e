import { sql } from 'drizzle-orm';
import type { Clock } from '../../../shared/clock/index.ts';
import type { ModuleUnit, Timer } from '../../../shared/module/index.ts';
import { release } from './release.ts';
import { tables } from './tables.ts';

const portion = 200;

/** Gives back what was held for longer than it may be. */
export function expire(clock: Clock): Timer {
  return {
    name: 'expire reservations',
    everyMs: 1_000,
    async run(unit: ModuleUnit) {
      const { reservations } = tables(unit);
      const over = await unit.db
        .select({ orderId: reservations.orderId })
        .from(reservations)
        .where(sql`${reservations.state} = 'held' and ${reservations.expiresAt} <= ${clock.now()}`)
        .limit(portion);
      for (const reservation of over) await release(reservation, unit);
      return over.length === portion ? 'again' : undefined;
    },
  };
}
