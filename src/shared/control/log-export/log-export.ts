import { background } from '../../kernel/context/index.ts';
import { activeTrace, isSampled } from '../../kernel/telemetry/index.ts';
import { countsFamily, logDiagnostics, processAttributes } from '../exporting/index.ts';
import type { ControlPart } from '../parts/index.ts';
import { exportLines } from './export-lines.ts';
import { LineReader } from './record.ts';

const help = 'Log lines given to an exporter, by outcome: exported, failed or dropped.';

/**
 * Sends the lines of the log to a server as well, when `OTEL_LOGS_EXPORTER` asks for it. A line is sent as it is written: with the same
 * masks and at the same levels only.
 */
export function logExport(): ControlPart {
  return {
    name: 'logExport',
    open({ topology: { settings, adapters }, logs, log }) {
      if (settings.OTEL_SDK_DISABLED) return {};
      const queues = adapters
        .logExporters(settings.OTEL_LOGS_EXPORTER)
        .map(({ name, open }) => exportLines(name, open(process.env)));
      if (queues.length === 0) return {};
      logDiagnostics(log);
      const reader = new LineReader(processAttributes(process.env));
      logs.alsoTo({
        write(line) {
          const record = reader.read(line, isSampled(activeTrace()));
          // A batch belongs to no request.
          background.run(() => queues.forEach((each) => void each.send(record)));
        },
      });
      return {
        metrics: () => [
          countsFamily(
            'kerf_log_lines_total',
            help,
            queues.map(({ counts }) => counts),
          ),
        ],
        close: async () => {
          await Promise.all(queues.map((each) => each.close()));
        },
      };
    },
  };
}
