import { parseInput } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { fromQuery } from '../../kernel/http-api/index.ts';
import type { AdminRoutes, FanOut } from '../admin-api/index.ts';
import { tracesQuery } from '../admin-contract/index.ts';
import { inOneTime } from './clocks.ts';
import type { Recorder } from './recorder.ts';
import { inOrder, rowOf } from './rows.ts';
import { rowsOf, summaryOf } from './summaries.ts';

/** Maximum number of traces of a list that one process contributes. */
const maxListed = 2_000;

/**
 * Serves the traces that the processes remember. `GET /ops/traces` lists the latest: each process summarizes its spans of a
 * trace. The home process also answers for the processes that have ended. `GET /ops/traces/{id}` returns all spans of one trace. Both
 * answers name the processes that did not answer. Times are those of the process that the trace came to first.
 */
export function serveTraces(
  app: AdminRoutes,
  fanOut: Pick<FanOut, 'items'>,
  {
    id,
    memory,
    received,
    endedProcesses,
    counts,
  }: Pick<Recorder, 'id' | 'memory' | 'received' | 'endedProcesses' | 'counts'>,
): void {
  app.get('/ops/traces', async (c) => {
    const query = parseInput(tracesQuery, fromQuery(tracesQuery, c.req.queries()));
    const latestOf = (part: Recorder['memory'], process: string) =>
      [...part.traces()].slice(0, maxListed).map((spans) => summaryOf(spans.map(rowOf), process, query));
    const summaries = [
      ...latestOf(memory, id),
      ...latestOf(received, `received by ${id}`),
      ...endedProcesses.traces().map(({ process, spans }) => summaryOf(spans, process, query)),
    ];
    const { items, missed } = await fanOut.items(c, summaries);
    if (c.env?.passedOn !== undefined) return c.json({ items });
    return c.json({ items: rowsOf(items, query), missed, exporters: counts });
  });

  app.get('/ops/traces/:id', async (c) => {
    const traceId = c.req.param('id');
    const { items, missed } = await fanOut.items(c, [
      // `inOrder` keeps the last span of an id, so a received span cannot replace a span of this system.
      ...received.spansOf(traceId).map(rowOf),
      ...memory.spansOf(traceId).map(rowOf),
      ...endedProcesses.spansOf(traceId),
    ]);
    if (c.env?.passedOn !== undefined) return c.json({ items });
    const { spans, clocks } = inOneTime(inOrder(items));
    if (spans.length === 0)
      throw refusal('not-found', `no process remembers a trace "${traceId}"; GET /ops/traces lists those there are`);
    return c.json({ items: inOrder(spans), missed, clocks });
  });
}
