import { parseInput } from '../../kernel/contract/index.ts';
import { leftTraces, type SpanRow } from '../admin-contract/index.ts';

/** The spans that one process has left. */
interface Left {
  readonly process: string;
  readonly spans: readonly SpanRow[];
}

/** Remembers the latest spans that module processes have left when they ended. The home process lists them with its own. */
export class LeftTraces {
  #left: Left[] = [];
  private readonly maxSpans: number;

  /** Remembers at most `maxSpans` spans. Those of the process that ended first go first. */
  constructor(maxSpans: number) {
    this.maxSpans = maxSpans;
  }

  /** Takes over what a process has left. Throws when it is invalid. */
  add(given: unknown): void {
    const left = parseInput(leftTraces, given);
    this.#left = [left, ...this.#left.filter(({ process }) => process !== left.process)];
    while (this.#count() > this.maxSpans) this.#left.pop();
  }

  /** Returns the spans of each trace in each process, those of the process that ended last first. */
  traces(): { readonly process: string; readonly spans: readonly SpanRow[] }[] {
    return this.#left.flatMap(({ process, spans }) =>
      [...Map.groupBy(spans, ({ traceId }) => traceId).values()].map((each) => ({ process, spans: each })),
    );
  }

  /** Returns the spans of one trace. */
  spansOf(traceId: string): SpanRow[] {
    return this.#left.flatMap(({ spans }) => spans.filter((span) => span.traceId === traceId));
  }

  #count(): number {
    return this.#left.reduce((sum, { spans }) => sum + spans.length, 0);
  }
}
