import { countsFamily } from '../exporting/index.ts';
import type { ControlPart } from '../parts/index.ts';
import { Recorder } from './recorder.ts';
import { serveTraces } from './serve.ts';

const help = 'Spans given to an exporter, by outcome: exported, failed or dropped.';

/**
 * Records traces by OpenTelemetry. Each process remembers its latest spans, and `GET /ops/traces` shows them. It sends them to a server
 * only when an `OTEL_*` variable enables that.
 */
export function traces(): ControlPart {
  return {
    name: 'traces',
    open({ topology, logs, log }) {
      const { settings, adapters, only } = topology;
      if (settings.OTEL_SDK_DISABLED || settings.TRACES_IN_MEMORY === 0) return {};
      const ownService = only?.[0] ?? 'home';
      const recorder = new Recorder({
        ...{ settings, env: process.env, ownService, adapters, log },
        mask: (text) => logs.masked(text),
      });
      recorder.traceFetch().catch((error: unknown) => log.warn({ error }, 'requests by fetch make no spans'));
      return {
        serve: (app, fanOut) => serveTraces(app, fanOut, recorder),
        metrics: () => [countsFamily('kerf_spans_total', help, recorder.counts)],
        finalState: { current: () => recorder.latest(), set: (given) => recorder.endedProcesses.add(given) },
        close: () => recorder.close(),
      };
    },
  };
}
