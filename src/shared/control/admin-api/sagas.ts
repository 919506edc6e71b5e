import { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { fromQuery } from '../../kernel/http-api/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import { describeSaga, listSagas, type SagaSummary } from '../../kernel/saga/index.ts';
import { type sagaAnswer, type sagaRow, sagaStates, settlementSchema } from '../admin-contract/index.ts';
import { type AdminRoutes, bodyOf, type FanOut } from './fan-out.ts';

const listSchema = z.strictObject({
  state: z.enum(sagaStates).optional(),
});
/** Maximum number of sagas of each module in one answer. */
const maxRows = 100;

/**
 * Serves the admin routes for sagas: list them, read one with its history, resume a stuck one, or complete it by hand. The id of a
 * saga is `{module}.{saga}`, percent-encoded in the path: `orders.cancellation%2F01a2…`.
 */
export function serveSagas(app: AdminRoutes, everywhere: FanOut): void {
  app.get('/ops/sagas', (c) => {
    const { state } = parseInput(listSchema, fromQuery(listSchema, c.req.queries()));
    return everywhere.rows(c, undefined, async (module) =>
      (await listSagas(module.database, state, maxRows)).map((saga) => shown(module, saga)),
    );
  });

  app.get('/ops/sagas/:id', (c) => everywhere.one(c, read));

  app.post('/ops/sagas/:id/resume', (c) =>
    everywhere.one(c, async (module, id) => {
      await module.sagas.resume(id);
      return read(module, id);
    }),
  );

  app.post('/ops/sagas/:id/settle', async (c) => {
    const { outcome, note } = parseInput(settlementSchema, await bodyOf(c));
    return everywhere.one(c, async (module, id) => {
      await module.sagas.settle(id, outcome, note);
      return read(module, id);
    });
  });
}

async function read(module: OpenModule, id: string): Promise<z.input<typeof sagaAnswer>> {
  const saga = await describeSaga(module.database, id);
  if (!saga) throw refusal('not-found', `there is no saga ${id}`);
  const history = saga.history.map(({ at, ...happening }) => ({ at: iso(at), ...happening }));
  return { ...shown(module, saga), history };
}

function shown({ name }: OpenModule, { id, ...saga }: SagaSummary): z.input<typeof sagaRow> {
  return {
    ...{ module: name, id: `${name}.${id}`, ...saga },
    ...{ nextAttemptAt: iso(saga.nextAttemptAt), deadline: iso(saga.deadline) },
    ...{ startedAt: iso(saga.startedAt), updatedAt: iso(saga.updatedAt) },
  };
}

/** Formats a time; returns `null` for a time without end. */
function iso(ms: number): string | null {
  return ms === Number.MAX_SAFE_INTEGER ? null : new Date(ms).toISOString();
}
