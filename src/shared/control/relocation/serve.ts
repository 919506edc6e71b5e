import type { Context } from 'hono';
import { streamText } from 'hono/streaming';
import { parseInput } from '../../kernel/contract/index.ts';
import { isRefusal, refusal, toProblem } from '../../kernel/errors/index.ts';
import { fromQuery } from '../../kernel/http-api/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import { type AdminRoutes, bodyOf, refuseQuery } from '../admin-api/index.ts';
import { abortSchema } from '../admin-contract/index.ts';
import { placementText } from '../topology/index.ts';
import { readOrder } from './relocation-order.ts';
import type { Relocations } from './relocations.ts';

const lineType = 'application/x-ndjson';

/**
 * Serves the routes of relocations. `PUT /ops/modules/{name}` moves a module and answers with a report. With
 * `Accept: application/x-ndjson` it sends a line for each step, and at the end `{ report }` or `{ problem }`. `GET` shows the progress,
 * and the current or last placement in processes of its own. `DELETE ?by=…` aborts and undoes the move.
 */
export function serveRelocations(
  app: AdminRoutes,
  modules: readonly string[],
  relocations: Relocations,
  adapters: Adapters,
): void {
  const named = (c: Context) => {
    const name = c.req.param('name') ?? '';
    if (!modules.includes(name))
      throw refusal('not-found', `there is no module "${name}"; there are ${modules.join(', ')}`);
    return name;
  };
  app.get('/ops/modules/:name', (c) => {
    refuseQuery(c);
    const name = named(c);
    const outside = relocations.outside(name);
    const move = relocations.current?.module === name ? relocations.current : null;
    return c.json({ name, move, outside: outside ? placementText(outside) : null });
  });
  app.delete('/ops/modules/:name', (c) => {
    relocations.abort(named(c), parseInput(abortSchema, fromQuery(abortSchema, c.req.queries())).by);
    return c.json({});
  });
  app.put('/ops/modules/:name', async (c) => {
    const name = named(c);
    const order = readOrder(name, await bodyOf(c), relocations.outside(name), adapters);
    if (!c.req.header('accept')?.includes(lineType)) return c.json(await relocations.move(order));
    c.header('content-type', lineType);
    return streamText(c, async (stream) => {
      const line = (what: object) => void stream.writeln(JSON.stringify(what));
      await relocations.move(order, line).then(
        (report) => line({ report }),
        (error: unknown) => line({ problem: toProblem(isRefusal(error) ? error : refusal('internal')) }),
      );
    });
  });
}
