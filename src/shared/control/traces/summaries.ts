import {
  type SpanRow,
  type TraceRow,
  type TraceSummary,
  type TracesQuery,
  traceRow,
  traceSummary,
} from '../admin-contract/index.ts';
import { clocksAhead, crossingsOf, firstProcess } from './clocks.ts';
import { inOrder } from './rows.ts';

/** Summarizes the spans of one trace in one process. The first span is the one without a parent, if there is one. */
export function summaryOf(spans: readonly SpanRow[], process: string, { name }: TracesQuery): TraceSummary {
  const sorted = inOrder(spans);
  const root = sorted.find(({ parentSpanId }) => parentSpanId === null);
  const first = root ?? sorted[0]!;
  const { startUs } = sorted[0]!;
  return {
    traceId: first.traceId,
    name: first.name,
    service: first.service,
    startUs,
    durationUs: Math.max(...sorted.map(endOf)) - startUs,
    spans: sorted.length,
    services: [...new Set(sorted.map(({ service }) => service))],
    failed: sorted.some(({ failed }) => failed),
    process,
    isRoot: root !== undefined,
    isNamed: name === undefined || sorted.some((span) => span.name.includes(name)),
    ...crossingsOf(sorted),
  };
}

/**
 * Joins the summaries of all processes to the rows that match the query, the latest first. A process may have answered several times.
 * Ignores an answer in the form of another release.
 */
export function rowsOf(summaries: readonly unknown[], query: TracesQuery): TraceRow[] {
  const valid = summaries.flatMap((each) => traceSummary.safeParse(each).data ?? []);
  const once = new Map(valid.map((each) => [`${each.traceId} ${each.process}`, each]));
  const traces = [...Map.groupBy(once.values(), ({ traceId }) => traceId).values()].map(joined);
  const wanted = traces.filter((trace) => matches(trace, query)).map((trace) => traceRow.parse(trace));
  return wanted.sort((one, other) => other.startUs - one.startUs).slice(0, query.limit);
}

/** Joins the summaries of one trace, in the time of its first process. */
function joined(given: readonly TraceSummary[]): TraceSummary {
  const parts = [...given].sort(byStart);
  const first = firstProcess(parts);
  const ahead = clocksAhead(parts, first);
  const inOneTime = parts.map((each) => ({ ...each, startUs: each.startUs - (ahead.get(each.process) ?? 0) }));
  const sorted = inOneTime.sort(byStart);
  const { startUs } = sorted[0]!;
  return {
    ...first,
    startUs,
    durationUs: Math.max(...sorted.map(endOf)) - startUs,
    spans: sorted.reduce((sum, { spans }) => sum + spans, 0),
    services: [...new Set(sorted.flatMap(({ services }) => services))],
    failed: sorted.some(({ failed }) => failed),
    isNamed: sorted.some(({ isNamed }) => isNamed),
  };
}

function byStart(one: TraceSummary, other: TraceSummary): number {
  return one.startUs - other.startUs;
}

function endOf({ startUs, durationUs }: { readonly startUs: number; readonly durationUs: number }): number {
  return startUs + durationUs;
}

/** Returns whether a trace matches the query of the operator. */
function matches(trace: TraceSummary, { service, failed, minMs }: TracesQuery): boolean {
  return (
    trace.isNamed &&
    (service === undefined || trace.services.includes(service)) &&
    (failed === undefined || trace.failed === failed) &&
    (minMs === undefined || trace.durationUs >= minMs * 1_000)
  );
}
