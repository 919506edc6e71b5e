import { BatchLogRecordProcessor, type LogRecordExporter, type SdkLogRecord } from '@opentelemetry/sdk-logs';
import { Exporting } from '../exporting/index.ts';
import type { LineRecord } from './record.ts';

/** Sends lines to one exporter. */
export function exportLines(
  name: string,
  exporter: Promise<LogRecordExporter>,
  answerWithinMs?: number,
): Exporting<LineRecord> {
  return new Exporting<LineRecord>({
    name,
    exporter,
    answerWithinMs,
    sizeOf: ({ size }) => size,
    batchesFor: (counted, options) => {
      // The client would wait for its own attempts, longer than these lines are waited for.
      const patient = { ...counted, forceFlush: async () => {} };
      const batches = new BatchLogRecordProcessor({ ...options, exporter: patient as LogRecordExporter });
      return { add: (record) => batches.onEmit(record as unknown as SdkLogRecord), shutdown: () => batches.shutdown() };
    },
  });
}
