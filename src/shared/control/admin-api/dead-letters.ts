import { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import type { DeadLetter } from '../../kernel/events/index.ts';
import { fromQuery } from '../../kernel/http-api/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import type { deadLetterRow } from '../admin-contract/index.ts';
import { type AdminRoutes, bodyOf, type FanOut } from './fan-out.ts';

const text = z.string().min(1).max(500);
const filterSchema = z.strictObject({
  module: text.optional(),
  type: text.optional(),
  key: text.optional(),
  error: text.optional(),
});
const listSchema = filterSchema.extend({
  /** Limits the letters of each module, separately for incoming and outgoing ones. */
  limit: z.coerce.number().int().min(1).max(100).default(100),
});
const reasonSchema = z.strictObject({ reason: text });
const discardSchema = filterSchema.extend(reasonSchema.shape);

/**
 * Serves the admin routes for dead letters: list them, read one with its history, and replay or discard one, or all that match a
 * filter. A discard needs a reason. The id of a letter is `{module}.{letter}`, such as `notifications.in-12`.
 */
export function serveDeadLetters(app: AdminRoutes, everywhere: FanOut): void {
  app.get('/ops/dead-letters', (c) => {
    const { limit, module, ...filter } = parseInput(listSchema, fromQuery(listSchema, c.req.queries()));
    return everywhere.rows(c, module, async (each) =>
      (await each.deadLetters.list(filter, limit)).map(({ event: _, ...letter }) => shown(each, letter)),
    );
  });

  app.get('/ops/dead-letters/:id', (c) =>
    everywhere.one(c, async (module, id) => shown(module, await module.deadLetters.read(id))),
  );

  app.post('/ops/dead-letters/replay', async (c) => {
    const { module, ...filter } = parseInput(filterSchema, await bodyOf(c));
    return everywhere.rows(c, module, async ({ deadLetters }) => told(await deadLetters.replayAll(filter)));
  });

  app.post('/ops/dead-letters/discard', async (c) => {
    const { module, reason, ...filter } = parseInput(discardSchema, await bodyOf(c));
    return everywhere.rows(c, module, async ({ deadLetters }) => told(await deadLetters.discardAll(filter, reason)));
  });

  app.post('/ops/dead-letters/:id/replay', (c) =>
    everywhere.one(c, async (module, id) => {
      await module.deadLetters.replay(id);
      return shown(module, await module.deadLetters.read(id));
    }),
  );

  app.post('/ops/dead-letters/:id/discard', async (c) => {
    const { reason } = parseInput(reasonSchema, await bodyOf(c));
    return everywhere.one(c, async (module, id) => {
      await module.deadLetters.discard(id, reason);
      return shown(module, await module.deadLetters.read(id));
    });
  });
}

function shown({ name }: OpenModule, { id, ...letter }: Omit<DeadLetter, 'event'>): z.input<typeof deadLetterRow> {
  return { module: name, id: `${name}.${id}`, ...letter };
}

/** Returns no row for a module without a matching letter. */
function told(count: number): { count: number }[] {
  return count > 0 ? [{ count }] : [];
}
