import type { Context } from 'hono';
import { streamText } from 'hono/streaming';
import { z } from 'zod';
import { parseInput } from '../../contract/index.ts';
import { invalidInput, isRefusal, refusal, toProblem } from '../../errors/index.ts';
import { type Placement, readPlacement } from '../../topology/index.ts';
import { bodyOf, type Operations, refuseQuery } from '../everywhere.ts';
import { canarySchema } from './canary.ts';
import { mirrorSchema } from './mirror.ts';
import type { Mover, Order } from './mover.ts';

const lineType = 'application/x-ndjson';
/** Who orders it, for the log and for whoever comes meanwhile. */
const by = z
  .string()
  .max(200)
  .regex(/^\P{C}*$/u, 'must be printable')
  .default('an operator');
const abortSchema = z.strictObject({ by });
const bodySchema = z.strictObject({
  placement: z.string().max(2_048),
  again: z.boolean().default(false),
  canary: canarySchema.optional(),
  mirror: mirrorSchema.optional(),
  forNow: z.boolean().default(false),
  by,
});

/**
 * `PUT /ops/modules/{name}` moves a module and answers with what that did; with `Accept: application/x-ndjson` a line for each
 * step as it goes, and at the end `{ report }` or `{ problem }`. `GET` tells how far it is, `DELETE ?by=…` has it taken back.
 */
export function serveMoves(app: Operations, modules: readonly string[], mover: Mover): void {
  const named = (c: Context) => {
    const name = c.req.param('name') ?? '';
    if (!modules.includes(name))
      throw refusal('not-found', `there is no module "${name}"; there are ${modules.join(', ')}`);
    return name;
  };
  app.get('/ops/modules/:name', (c) => {
    refuseQuery(c);
    const name = named(c);
    return c.json({ name, move: mover.current?.module === name ? mover.current : null });
  });
  app.delete('/ops/modules/:name', (c) => {
    mover.abort(named(c), parseInput(abortSchema, c.req.query()).by);
    return c.json({});
  });
  app.put('/ops/modules/:name', async (c) => {
    const order = orderOf(named(c), await bodyOf(c));
    if (!c.req.header('accept')?.includes(lineType)) return c.json(await mover.move(order));
    c.header('content-type', lineType);
    return streamText(c, async (stream) => {
      const line = (what: object) => void stream.writeln(JSON.stringify(what));
      await mover.move(order, line).then(
        (report) => line({ report }),
        (error: unknown) => line({ problem: toProblem(isRefusal(error) ? error : refusal('internal')) }),
      );
    });
  });
}

function orderOf(module: string, body: unknown): Order {
  const { placement, ...order } = parseInput(bodySchema, body);
  return { ...order, module, placement: placementOf(placement) };
}

function placementOf(text: string): Placement {
  const placement = readPlacement(text);
  if (typeof placement === 'string') throw invalidInput([{ path: 'placement', message: placement }]);
  return placement;
}
