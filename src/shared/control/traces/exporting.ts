import { ExportResultCode } from '@opentelemetry/core';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { background } from '../../kernel/context/index.ts';

/** Maximum number of spans that wait for an exporter. An exporter that is slow or away loses the rest, and nothing else waits for it. */
const maxWaiting = 2_048;
const batchEveryMs = 1_000;
const closeWithinMs = 2_000;

/** What became of the spans that an exporter was given. */
export interface ExportCounts {
  readonly exporter: string;
  /** Spans that the server has taken. */
  exported: number;
  /** Spans that the server has refused, or has not taken in time. */
  failed: number;
  /** Spans that found no room to wait. */
  dropped: number;
}

/** Sends spans to one exporter, in batches, and counts what becomes of them. The client of the exporter loads meanwhile. */
export class Exporting {
  readonly counts: ExportCounts;
  #waiting = 0;
  #isClosed = false;
  #whenIdle: (() => void) | undefined;
  readonly #batches: BatchSpanProcessor;

  constructor(name: string, exporter: Promise<SpanExporter>, answerWithinMs = 10_000) {
    this.counts = { exporter: name, exported: 0, failed: 0, dropped: 0 };
    // Each batch tells of the failure; nothing else waits for the client.
    exporter.catch(() => {});
    const options = { maxQueueSize: maxWaiting, scheduledDelayMillis: batchEveryMs };
    this.#batches = new BatchSpanProcessor(this.#counted(exporter, answerWithinMs), options);
  }

  send(span: ReadableSpan): void {
    if (this.#isClosed || this.#waiting >= maxWaiting) {
      this.counts.dropped += 1;
      return;
    }
    this.#waiting += 1;
    this.#batches.onEnd(span);
  }

  /** Sends the waiting spans now, and no more later. Resolves within 2 s: a server that does not answer must not delay a stop. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const late = pause(closeWithinMs).then(() => {
      this.counts.failed += this.#waiting;
      this.#waiting = 0;
    });
    await Promise.race([this.#sent(), late]);
  }

  async #sent(): Promise<void> {
    // The shutdown rejects with the first failed batch; others may still be in flight.
    await this.#batches.shutdown().catch(() => {});
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      if (this.#waiting === 0) resolve();
    });
  }

  /** Counts the outcome of each batch once. A server that does not answer in time has not taken it. */
  #counted(exporter: Promise<SpanExporter>, answerWithinMs: number): SpanExporter {
    return {
      export: (spans, done) => {
        let isOpen = true;
        const ended: typeof done = (result) => {
          if (!isOpen || this.#waiting === 0) return;
          isOpen = false;
          clearTimeout(late);
          this.#waiting -= spans.length;
          this.counts[result.code === ExportResultCode.SUCCESS ? 'exported' : 'failed'] += spans.length;
          done(result);
          if (this.#waiting === 0) this.#whenIdle?.();
        };
        const failed = (error?: Error) => ended({ code: ExportResultCode.FAILED, ...(error && { error }) });
        const late = background.setTimeout(() => failed(), answerWithinMs).unref();
        exporter.then((open) => open.export(spans, ended)).catch(failed);
      },
      shutdown: async () => (await exporter).shutdown(),
    };
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => background.setTimeout(resolve, delayMs).unref());
}
