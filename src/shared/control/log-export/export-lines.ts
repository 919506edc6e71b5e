import { BatchLogRecordProcessor, type LogRecordExporter, type SdkLogRecord } from '@opentelemetry/sdk-logs';
import { ExportQueue } from '../exporting/index.ts';
import type { LineRecord } from './record.ts';

/** Sends lines to one exporter. */
export function exportLines(
  name: string,
  exporter: Promise<LogRecordExporter>,
  answerWithinMs?: number,
): ExportQueue<LineRecord> {
  return new ExportQueue<LineRecord>({
    name,
    exporter,
    answerWithinMs,
    sizeOf: ({ size }) => size,
    batchesFor: (counted, options) => {
      // A flush would wait for the client's own attempts, which take longer than the close may take.
      const unflushed = { ...counted, forceFlush: async () => {} };
      const batches = new BatchLogRecordProcessor({ ...options, exporter: unflushed as LogRecordExporter });
      return { add: (record) => batches.onEmit(record as unknown as SdkLogRecord), shutdown: () => batches.shutdown() };
    },
  });
}
