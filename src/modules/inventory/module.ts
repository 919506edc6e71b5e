import { z } from 'zod';
import { clock, defineModule } from '../../shared/kernel/module/index.ts';
import { inventory } from './contract.ts';
import { expire } from './internal/expire.ts';
import { levels } from './internal/levels.ts';
import { migrations } from './internal/migrations.ts';
import { release } from './internal/release.ts';
import { reserve } from './internal/reserve.ts';
import { restock } from './internal/restock.ts';
import { seed } from './internal/seed.ts';
import { takeReserved } from './internal/take.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: inventory,
  about,
  migrations,
  settings: z.object({
    INVENTORY_HOLD_SECONDS: z.coerce.number().int().min(1).default(900).describe('how long a reservation is held'),
  }),
  open(container) {
    const time = container.resolve(clock);
    const heldForMs = container.settings.INVENTORY_HOLD_SECONDS * 1_000;
    return {
      operations: {
        levels,
        reserve: reserve(time, heldForMs),
        take: takeReserved,
        release,
        restock,
      },
      timers: [expire(time, heldForMs)],
      seed,
    };
  },
});
