import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { background, pause, steadyClock } from '../../kernel/context/index.ts';
import type { MetricFamily } from '../parts/index.ts';

/** Maximum number of items that wait for an exporter. Further items are dropped, so that nothing waits for a slow exporter. */
const maxWaiting = 2_048;
/** Maximum size of those items together. */
const maxSize = 4 * 1024 * 1024;
const batchEveryMs = 1_000;
const closeWithinMs = 2_000;

/** Counts the items of an exporter by their outcome. */
export interface ExportCounts {
  readonly exporter: string;
  /** Items that the server has accepted. */
  exported: number;
  /** Items that the server has refused, or has not accepted in time. */
  failed: number;
  /** Items that did not fit into the queue. */
  dropped: number;
}

/** Sends batches to a server, as the exporters of OpenTelemetry do. */
export interface Exporter<Item> {
  export(items: Item[], done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

/** Collects items into batches, as the processors of OpenTelemetry do. */
interface Batches<Item> {
  add(item: Item): void;
  shutdown(): Promise<void>;
}

export interface ExportQueueDependencies<Item> {
  readonly name: string;
  readonly exporter: Promise<Exporter<Item>>;
  readonly batchesFor: (
    exporter: Exporter<Item>,
    options: { readonly maxQueueSize: number; readonly scheduledDelayMillis: number },
  ) => Batches<Item>;
  /** The size of an item, where items may be large. */
  readonly sizeOf?: (item: Item) => number;
  readonly answerWithinMs?: number | undefined;
}

/** Queues items for one exporter, sends them in batches, and counts the outcomes. Items may come before the exporter's client is loaded. */
export class ExportQueue<Item> {
  readonly counts: ExportCounts;
  #waiting = 0;
  #size = 0;
  #isClosed = false;
  #whenIdle: (() => void) | undefined;
  readonly #batches: Batches<Item>;
  readonly #sizeOf: (item: Item) => number;

  constructor({
    name,
    exporter,
    batchesFor,
    sizeOf = () => 0,
    answerWithinMs = 10_000,
  }: ExportQueueDependencies<Item>) {
    this.counts = { exporter: name, exported: 0, failed: 0, dropped: 0 };
    this.#sizeOf = sizeOf;
    // Each batch reports the failure as its own.
    exporter.catch(() => {});
    const options = { maxQueueSize: maxWaiting, scheduledDelayMillis: batchEveryMs };
    this.#batches = batchesFor(this.#counted(exporter, answerWithinMs), options);
  }

  send(item: Item): void {
    const size = this.#sizeOf(item);
    if (this.#isClosed || this.#waiting >= maxWaiting || this.#size + size > maxSize) {
      this.counts.dropped += 1;
      return;
    }
    this.#waiting += 1;
    this.#size += size;
    this.#batches.add(item);
  }

  /** Sends the waiting items now and accepts no more. Resolves within 2 s: a server that does not answer must not delay a stop. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const late = pause(steadyClock, closeWithinMs).then(() => {
      this.counts.failed += this.#waiting;
      this.#waiting = 0;
    });
    await Promise.race([this.#sent(), late]);
  }

  /** Resolves when each item has its outcome. The client of the exporter may take longer to shut down. */
  #sent(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
      if (this.#waiting === 0) resolve();
      // Rejects with the first failed batch; others may still be in flight.
      this.#batches.shutdown().catch(() => {});
    });
  }

  /** Counts the outcome of each batch once. A batch without an answer in time counts as failed. */
  #counted(exporter: Promise<Exporter<Item>>, answerWithinMs: number): Exporter<Item> {
    return {
      export: (items, done) => {
        let isOpen = true;
        const ended: typeof done = (result) => {
          if (!isOpen || this.#waiting === 0) return;
          isOpen = false;
          clearTimeout(late);
          this.#waiting -= items.length;
          for (const item of items) this.#size -= this.#sizeOf(item);
          this.counts[result.code === ExportResultCode.SUCCESS ? 'exported' : 'failed'] += items.length;
          done(result);
          if (this.#waiting === 0) this.#whenIdle?.();
        };
        const failed = (error?: Error) => ended({ code: ExportResultCode.FAILED, ...(error && { error }) });
        const late = background.setTimeout(() => failed(), answerWithinMs).unref();
        exporter.then((open) => open.export(items, ended)).catch(failed);
      },
      shutdown: async () => (await exporter).shutdown(),
    };
  }
}

/** Shows the counts of exporters as a counter with the labels `exporter` and `outcome`. */
export function countsFamily(name: string, help: string, all: readonly ExportCounts[]): MetricFamily {
  const samples = all.flatMap(({ exporter, exported, failed, dropped }) =>
    Object.entries({ exported, failed, dropped }).map(([outcome, value]) => ({ labels: { exporter, outcome }, value })),
  );
  return { name, help, type: 'counter', samples };
}
