import { SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

export interface TraceMemoryDependencies {
  /** Maximum number of spans in memory, of all traces together. */
  readonly maxSpans: number;
  /** A trace that takes longer in this process is kept, in milliseconds. */
  readonly slowMs: number;
  /** Receives the spans of the traces that are sampled or kept. */
  readonly send: (span: ReadableSpan) => void;
}

/** The spans of one trace in this process. */
interface LocalTrace {
  readonly traceId: string;
  readonly spans: ReadableSpan[];
  /** Whether it is worth keeping. All its spans are sent then. */
  isKept: boolean;
}

/** Maximum number of spans of one trace. A trace without an end must not push out all others. */
const maxSpansOfOne = 2_000;

/**
 * Remembers the latest traces of this process. Sends the spans of a sampled trace as they end. Keeps a trace that is not sampled when one
 * of its spans fails, or when it was slow: its spans are sent then. Otherwise forgets the trace when it ends in this process: spans that outlive
 * a quick request make it a tenth slower. When memory is full, forgets ordinary traces before kept ones.
 */
export class TraceMemory {
  /** By trace id, the oldest first. */
  readonly #ordinary = new Map<string, LocalTrace>();
  readonly #kept = new Map<string, LocalTrace>();
  #spans = 0;
  #keptSpans = 0;
  private readonly parts: TraceMemoryDependencies;

  constructor(parts: TraceMemoryDependencies) {
    this.parts = parts;
  }

  /** Returns the spans of each trace: the kept traces first, and of both kinds the latest first. */
  *traces(): Generator<readonly ReadableSpan[]> {
    const kept = [...this.#kept.values()].reverse();
    const ordinary = [...this.#ordinary.values()].reverse();
    for (const { spans } of [...kept, ...ordinary]) yield spans;
  }

  /** Returns the spans of one trace. */
  spansOf(traceId: string): readonly ReadableSpan[] {
    return (this.#kept.get(traceId) ?? this.#ordinary.get(traceId))?.spans ?? [];
  }

  /** Remembers a span that has ended. */
  add(span: ReadableSpan): void {
    const { traceId, traceFlags } = span.spanContext();
    const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    const isWorthKeeping = this.#isWorthKeeping(span);
    if (!isSampled && !isWorthKeeping && isFirstHere(span) && !this.#kept.has(traceId)) {
      this.#forget(traceId);
      return;
    }
    const part = this.#partOf(traceId);
    if (!part.isKept && isWorthKeeping) {
      this.#keep(part);
      if (!isSampled) for (const earlier of part.spans) this.parts.send(asSampled(earlier));
    }
    if (isSampled) this.parts.send(span);
    else if (part.isKept) this.parts.send(asSampled(span));
    if (part.spans.length >= maxSpansOfOne) return;
    part.spans.push(span);
    this.#spans += 1;
    if (part.isKept) this.#keptSpans += 1;
    this.#makeRoom();
  }

  #keep(part: LocalTrace): void {
    part.isKept = true;
    this.#keptSpans += part.spans.length;
    this.#ordinary.delete(part.traceId);
    this.#kept.set(part.traceId, part);
  }

  #partOf(traceId: string): LocalTrace {
    const known = this.#kept.get(traceId) ?? this.#ordinary.get(traceId);
    if (known) return known;
    const part = { traceId, spans: [], isKept: false };
    this.#ordinary.set(traceId, part);
    return part;
  }

  #isWorthKeeping(span: ReadableSpan): boolean {
    if (span.status.code === SpanStatusCode.ERROR) return true;
    return isFirstHere(span) && hrTimeToMilliseconds(span.duration) >= this.parts.slowMs;
  }

  /** Forgets the spans of a trace that is not kept. */
  #forget(traceId: string): void {
    this.#spans -= this.#ordinary.get(traceId)?.spans.length ?? 0;
    this.#ordinary.delete(traceId);
  }

  /** Forgets the oldest ordinary traces, or the oldest kept ones while those fill more than half of the memory. */
  #makeRoom(): void {
    while (this.#spans > this.parts.maxSpans) {
      const keptTooMany = this.#keptSpans > this.parts.maxSpans / 2 || this.#ordinary.size === 0;
      const from = keptTooMany ? this.#kept : this.#ordinary;
      const [oldest] = from.values();
      if (!oldest) return;
      from.delete(oldest.traceId);
      this.#spans -= oldest.spans.length;
      if (oldest.isKept) this.#keptSpans -= oldest.spans.length;
    }
  }
}

/** Tells whether a span is the first of its trace in this process. It ends after the others, except for what goes on after an answer. */
function isFirstHere({ parentSpanContext: parent }: ReadableSpan): boolean {
  return !parent || parent.isRemote === true;
}

/** Returns the span with the flag that exporters ask for. */
function asSampled(span: ReadableSpan): ReadableSpan {
  const spanContext = () => ({ ...span.spanContext(), traceFlags: TraceFlags.SAMPLED });
  return new Proxy(span, {
    get: (_, name) => (name === 'spanContext' ? spanContext : Reflect.get(span, name, span)),
  });
}
