import { defineModule } from 'kerf/module';
import { z } from 'zod';
import { inventory } from './contract.ts';
import { expire, release, reserve, take } from './internal/reservations.ts';
import { seed } from './internal/seed.ts';
import { levels, migrations, restock } from './internal/store.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: inventory,
  about,
  migrations,
  settings: z.object({
    INVENTORY_HOLD_SECONDS: z.coerce.number().int().min(1).default(900).describe('how long a reservation is held'),
  }),
  open({ settings }) {
    const heldForMs = settings.INVENTORY_HOLD_SECONDS * 1_000;
    return {
      operations: { levels, reserve: reserve(heldForMs), take, release, restock },
      timers: [expire(heldForMs)],
      seed,
    };
  },
});
