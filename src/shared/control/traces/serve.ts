import { parseInput } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { fromQuery } from '../../kernel/http-api/index.ts';
import type { AdminRoutes, FanOut } from '../admin-api/index.ts';
import { tracesQuery } from '../admin-contract/index.ts';
import type { Recorder } from './recorder.ts';
import { byTrace, matches, rowOf, summaryOf } from './rows.ts';

/** Maximum number of spans of a list that one process contributes: its latest. */
const maxListed = 5_000;

/**
 * Serves the traces that the processes remember. `GET /ops/traces` lists the latest, and `GET /ops/traces/{id}` has all spans of one. Both
 * join the parts that the processes have, and name the processes that did not answer.
 */
export function serveTraces(
  app: AdminRoutes,
  fanOut: FanOut,
  { memory, counts }: Pick<Recorder, 'memory' | 'counts'>,
): void {
  app.get('/ops/traces', async (c) => {
    const query = parseInput(tracesQuery, fromQuery(tracesQuery, c.req.queries()));
    const { items, missed } = await fanOut.items(c, latest(memory.traces(), maxListed).map(rowOf));
    if (c.env?.passedOn !== undefined) return c.json({ items });
    const traces = [...byTrace(items).values()].map((spans) => ({ spans, summary: summaryOf(spans) }));
    const wanted = traces.filter(({ spans, summary }) => matches(spans, summary, query)).map(({ summary }) => summary);
    const latestFirst = wanted.sort((one, other) => other.startUs - one.startUs);
    return c.json({ items: latestFirst.slice(0, query.limit), missed, exporters: counts });
  });

  app.get('/ops/traces/:id', async (c) => {
    const traceId = c.req.param('id');
    const { items, missed } = await fanOut.items(c, memory.spansOf(traceId).map(rowOf));
    const spans = byTrace(items).get(traceId) ?? [];
    if (spans.length === 0 && c.env?.passedOn === undefined)
      throw refusal('not-found', `no process remembers a trace "${traceId}"; GET /ops/traces lists those there are`);
    return c.json({ items: spans.sort((one, other) => one.startUs - other.startUs), missed });
  });
}

/** Returns the spans of the latest traces, at most `most`. */
function latest<T>(traces: Iterable<readonly T[]>, most: number): T[] {
  const spans: T[] = [];
  for (const each of traces) {
    if (spans.length + each.length > most) break;
    spans.push(...each);
  }
  return spans;
}
