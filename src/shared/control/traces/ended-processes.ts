import { parseInput } from '../../kernel/contract/index.ts';
import { finalSpans, type SpanRow } from '../admin-contract/index.ts';

/** The latest spans of one process, as it sent them when it ended. */
interface FinalSpans {
  readonly process: string;
  readonly spans: readonly SpanRow[];
}

/** Remembers the latest spans of module processes that have ended. The home process lists them with its own. */
export class SpansOfEndedProcesses {
  #processes: FinalSpans[] = [];
  private readonly maxSpans: number;

  /** Remembers at most `maxSpans` spans. Forgets the spans of the process that ended first before all others. */
  constructor(maxSpans: number) {
    this.maxSpans = maxSpans;
  }

  /** Takes over the spans of a process. Throws when they are invalid. */
  add(given: unknown): void {
    const final = parseInput(finalSpans, given);
    this.#processes = [final, ...this.#processes.filter(({ process }) => process !== final.process)];
    while (this.#count() > this.maxSpans) this.#processes.pop();
  }

  /** Returns the spans of each trace in each process. The process that ended last comes first. */
  traces(): { readonly process: string; readonly spans: readonly SpanRow[] }[] {
    return this.#processes.flatMap(({ process, spans }) =>
      [...Map.groupBy(spans, ({ traceId }) => traceId).values()].map((each) => ({ process, spans: each })),
    );
  }

  /** Returns the spans of one trace. */
  spansOf(traceId: string): SpanRow[] {
    return this.#processes.flatMap(({ spans }) => spans.filter((span) => span.traceId === traceId));
  }

  #count(): number {
    return this.#processes.reduce((sum, { spans }) => sum + spans.length, 0);
  }
}
