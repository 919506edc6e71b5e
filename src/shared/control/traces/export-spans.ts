import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { ExportQueue } from '../exporting/index.ts';

/** Sends spans to one exporter. */
export function exportSpans(
  name: string,
  exporter: Promise<SpanExporter>,
  answerWithinMs?: number,
): ExportQueue<ReadableSpan> {
  return new ExportQueue({
    name,
    exporter,
    answerWithinMs,
    batchesFor: (counted, options) => {
      const batches = new BatchSpanProcessor(counted, options);
      return { add: (span) => batches.onEnd(span), shutdown: () => batches.shutdown() };
    },
  });
}
