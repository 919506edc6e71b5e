import { senderGuard } from '../admin-api/index.ts';
import { countsFamily } from '../exporting/index.ts';
import type { ControlPart, PartDependencies } from '../parts/index.ts';
import { Recorder } from './recorder.ts';
import { serveTraces } from './serve.ts';
import { SpanReceiver } from './span-receiver.ts';

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
      // One process shows the spans of other programs, so one process takes them.
      const guard = only ? undefined : senderGuard({ settings, hide: (token) => logs.hide(token) });
      const receiver = guard && new SpanReceiver({ memory: recorder.received, guard, log, now: Date.now });
      return {
        serve: (app, fanOut) => serveTraces(app, fanOut, recorder),
        ...(receiver && {
          serveOpenly(app, around) {
            app.all('/v1/traces', (c) => receiver.answer(c.req.raw, (service) => runsHere(service, around)));
          },
        }),
        metrics: () => [
          countsFamily('kerf_spans_total', help, recorder.counts),
          ...(receiver ? [receiver.family()] : []),
        ],
        finalState: { current: () => recorder.latest(), set: (given) => recorder.endedProcesses.add(given) },
        close: () => recorder.close(),
      };
    },
  };
}

/** Returns whether the spans of a service are recorded in this system: it is a part of the system itself, or a module that it runs. */
function runsHere(
  service: string,
  { open, moduleProcesses }: Pick<PartDependencies, 'open' | 'moduleProcesses'>,
): boolean {
  return ['gateway', 'home'].includes(service) || open.has(service) || moduleProcesses.of(service).length > 0;
}
