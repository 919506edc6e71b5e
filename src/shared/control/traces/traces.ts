import type { ControlPart, MetricFamily } from '../parts/index.ts';
import { Recorder } from './recorder.ts';
import { serveTraces } from './serve.ts';

/**
 * Records traces by OpenTelemetry. Each process remembers its latest spans, and `GET /ops/traces` shows them. They are sent elsewhere only
 * when an `OTEL_*` variable asks for it.
 */
export function traces(): ControlPart {
  return {
    name: 'traces',
    open({ topology, log }) {
      const { settings, adapters, only } = topology;
      if (settings.OTEL_SDK_DISABLED || settings.TRACES_IN_MEMORY === 0) return {};
      const ownService = only?.[0] ?? 'home';
      const recorder = new Recorder({ settings, env: process.env, ownService, adapters, log });
      recorder.traceFetch().catch((error: unknown) => log.warn({ error }, 'requests by fetch make no spans'));
      return {
        serve: (app, fanOut) => serveTraces(app, fanOut, recorder),
        metrics: () => spansOf(recorder),
        left: { current: () => recorder.latest(), set: (given) => recorder.left.add(given) },
        close: () => recorder.close(),
      };
    },
  };
}

/** Counts what became of the spans that were sent. */
function spansOf({ counts }: Pick<Recorder, 'counts'>): MetricFamily[] {
  const samples = counts.flatMap(({ exporter, exported, failed, dropped }) =>
    Object.entries({ exported, failed, dropped }).map(([outcome, value]) => ({ labels: { exporter, outcome }, value })),
  );
  const help = 'Spans given to an exporter, by outcome: exported, failed or dropped.';
  return [{ name: 'kerf_spans_total', help, type: 'counter', samples }];
}
