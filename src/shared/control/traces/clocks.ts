import type { Crossing, SpanRow } from '../admin-contract/index.ts';

/** Times of a trace that two processes know: when a call or an event left the one process, and when it came to the other. */
export interface ProcessTimes {
  readonly process: string;
  /** Whether the trace began here. */
  readonly isRoot: boolean;
  readonly sent: readonly Crossing[];
  readonly served: readonly Crossing[];
}

/** A clock that differs from the clock of the first process of a trace. */
interface SkewedClock {
  readonly instance: string;
  /** By how much it is ahead, in microseconds. Negative when it is behind. */
  readonly aheadUs: number;
}

/** Smallest skew that is corrected. A pause of a process, or the drift of its clock, makes a smaller difference. */
const minSkewUs = 50_000;

/** Returns the times of the spans of one process that another process may know as well. */
export function crossingsOf(spans: readonly SpanRow[]): Pick<ProcessTimes, 'sent' | 'served'> {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const servedHere = new Set(
    spans.filter(({ kind }) => kind === 'server' || kind === 'consumer').map(({ parentSpanId }) => parentSpanId),
  );
  const sent = spans.filter((span) => leaves(span) && !servedHere.has(span.spanId));
  const served = spans.filter(({ parentSpanId }) => parentSpanId !== null && !ids.has(parentSpanId));
  return {
    sent: sent.map((span) => ({
      id: span.spanId,
      startUs: span.startUs,
      endUs: isAnswered(span) ? endOf(span) : null,
    })),
    served: served.map((span) => ({ id: span.parentSpanId!, startUs: span.startUs, endUs: endOf(span) })),
  };
}

/** Tells whether what a span stands for may go to another process. A database is in its own. */
function leaves({ kind, attributes }: SpanRow): boolean {
  return kind === 'producer' || (kind === 'client' && attributes['db.namespace'] === undefined);
}

/** Tells whether the callee began and ended within the span. A caller that gave up on an attempt does not know. */
function isAnswered({ kind, failed, attributes, events }: SpanRow): boolean {
  const isOneAttempt = !events.some(({ name }) => name === 'retry');
  return kind === 'client' && !failed && attributes['error.type'] === undefined && isOneAttempt;
}

function endOf({ startUs, durationUs }: SpanRow): number {
  return startUs + durationUs;
}

/** Returns the process that the trace came to first: where it began, or the one that served no other. */
export function firstProcess<T extends ProcessTimes>(processes: readonly T[]): T {
  const sent = new Set(processes.flatMap((each) => each.sent.map(({ id }) => id)));
  return (
    processes.find(({ isRoot }) => isRoot) ??
    processes.find(({ served }) => !served.some(({ id }) => sent.has(id))) ??
    processes[0]!
  );
}

/**
 * Returns by how many microseconds the clock of each process is ahead of the clock of `first`. A callee works within the call of its
 * caller, and a subscriber after its publisher: where it does not, its clock is wrong. Takes a clock that may be right as right, so also
 * the clock of a subscriber that seems late.
 */
export function clocksAhead(processes: readonly ProcessTimes[], first: ProcessTimes): ReadonlyMap<string, number> {
  const ahead = new Map([[first.process, 0]]);
  const known = new Map<string, Crossing>();
  const waiting = new Set(processes.filter((each) => each !== first));
  let reached: readonly ProcessTimes[] = [first];
  while (reached.length > 0) {
    for (const { process, sent } of reached)
      for (const each of sent) known.set(each.id, earlier(each, ahead.get(process)!));
    reached = [...waiting].filter(({ served }) => served.some(({ id }) => known.has(id)));
    for (const each of reached) {
      waiting.delete(each);
      ahead.set(each.process, aheadOf(each.served, known));
    }
  }
  return ahead;
}

function aheadOf(served: readonly Crossing[], sent: ReadonlyMap<string, Crossing>): number {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const here of served) {
    const there = sent.get(here.id);
    if (!there) continue;
    most = Math.min(most, here.startUs - there.startUs);
    if (there.endUs !== null) least = Math.max(least, here.endUs! - there.endUs);
  }
  if (least - minSkewUs <= 0 && most + minSkewUs >= 0) return 0;
  // A subscriber stands after its publisher.
  return Number.isFinite(least) ? Math.round((least + most) / 2) : most - 1;
}

function earlier({ id, startUs, endUs }: Crossing, us: number): Crossing {
  return { id, startUs: startUs - us, endUs: endUs === null ? null : endUs - us };
}

/** Returns the spans of a trace in the time of its first process, and the clocks that differ from the clock of that process. */
export function inOneTime(spans: readonly SpanRow[]): { readonly spans: SpanRow[]; readonly clocks: SkewedClock[] } {
  const processes = [...Map.groupBy(spans, ({ instance }) => instance)].map(([process, own]) => ({
    ...{ process, isRoot: own.some(({ parentSpanId }) => parentSpanId === null) },
    ...crossingsOf(own),
  }));
  if (processes.length < 2) return { spans: [...spans], clocks: [] };
  const ahead = clocksAhead(processes, firstProcess(processes));
  const clocks = [...ahead]
    .map(([instance, aheadUs]) => ({ instance, aheadUs }))
    .filter(({ aheadUs }) => aheadUs !== 0);
  return { spans: spans.map((span) => spanEarlier(span, ahead.get(span.instance) ?? 0)), clocks };
}

function spanEarlier(span: SpanRow, us: number): SpanRow {
  if (us === 0) return span;
  const events = span.events.map((event) => ({ ...event, atUs: event.atUs - us }));
  return { ...span, startUs: span.startUs - us, events };
}
