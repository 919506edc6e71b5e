import { randomUUID } from 'node:crypto';
import { type Span, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { joinOpenTelemetry, type Log } from '../../kernel/telemetry/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import type { SpanRow } from '../admin-contract/index.ts';
import { type ExportCounts, type ExportQueue, logDiagnostics, processAttributes } from '../exporting/index.ts';
import { SpansOfEndedProcesses } from './ended-processes.ts';
import { exportSpans } from './export-spans.ts';
import { type Sampling, ServiceTracerProvider } from './provider.ts';
import { rowOf } from './rows.ts';
import { TraceMemory } from './trace-memory.ts';

/** The samplers of OpenTelemetry, named as there. */
export type SamplerName = `${'' | 'parentbased_'}${'traceidratio' | 'always_on' | 'always_off'}`;

/** The settings of traces, named as in the environment. */
export interface TraceSettings {
  readonly TRACE_SLOW_MS: number;
  readonly TRACES_IN_MEMORY: number;
  readonly OTEL_TRACES_EXPORTER?: string | undefined;
  readonly OTEL_TRACES_SAMPLER: SamplerName;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
}

interface RecorderDependencies {
  readonly settings: TraceSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The service of code that runs for no module: `home`, or the module that the process runs. */
  readonly ownService: string;
  readonly adapters: Adapters;
  readonly log: Log;
  /** Masks e-mail addresses, phone numbers and secrets in a text, as in the log. */
  readonly mask: (text: string) => string;
}

/** The attributes that hold what a client, or the code of a module, has put into a path. */
const pathAttributes = ['url.path', 'url.full'];

/** Maximum number of spans that a process sends to the home process when it ends: about 1 MB. */
const maxFinalSpans = 1_000;

/** Records the spans of this process, remembers the latest, and sends those of sampled and kept traces to the exporters. */
export class Recorder {
  /** Distinguishes this process from all others. */
  readonly id: string = randomUUID();
  readonly memory: TraceMemory;
  /** The spans that other programs sent. */
  readonly received: TraceMemory;
  /** The spans of module processes that have ended. */
  readonly endedProcesses: SpansOfEndedProcesses;
  readonly #queues: readonly ExportQueue<ReadableSpan>[];
  #fetch: { enable(): void; disable(): void } | undefined;

  /** Throws a `StartError` when a setting names an exporter that no adapter offers, or that cannot be opened. */
  constructor({ settings, env, ownService, adapters, log, mask }: RecorderDependencies) {
    const { TRACES_IN_MEMORY: maxSpans, TRACE_SLOW_MS: slowMs } = settings;
    this.#queues = adapters
      .spanExporters(settings.OTEL_TRACES_EXPORTER, env)
      .map(({ name, open }) => exportSpans(name, open(env)));
    const send = (span: ReadableSpan) => this.#send(span);
    this.memory = new TraceMemory({ maxSpans, slowMs, send });
    this.received = new TraceMemory({ maxSpans: Math.ceil(maxSpans / 2), slowMs, send });
    this.endedProcesses = new SpansOfEndedProcesses(maxSpans);
    logDiagnostics(log);
    joinOpenTelemetry();
    const ended = (span: ReadableSpan) => this.memory.add(withMaskedPaths(span, mask));
    const [resource, sampling] = [processAttributes(env), samplingOf(settings)];
    trace.setGlobalTracerProvider(new ServiceTracerProvider({ ownService, resource, sampling, ended }));
  }

  /** Returns the spans of the latest traces that are not too long, for the home process to remember when this process ends. */
  latest(): { readonly process: string; readonly spans: SpanRow[] } {
    const spans: ReadableSpan[] = [];
    for (const each of this.memory.traces()) {
      if (spans.length + each.length <= maxFinalSpans) spans.push(...each);
    }
    return { process: this.id, spans: spans.map(rowOf) };
  }

  /** What became of the spans that were sent, by exporter. */
  get counts(): readonly ExportCounts[] {
    return this.#queues.map(({ counts }) => counts);
  }

  /** Sends what waits, for at most two seconds. */
  async close(): Promise<void> {
    this.#fetch?.disable();
    await Promise.all(this.#queues.map((each) => each.close()));
  }

  /** Puts the requests that modules send by `fetch`, for example to a payment provider, into spans of their calls. */
  async traceFetch(): Promise<void> {
    const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici');
    // The query of a request may contain anything.
    const requestHook = (span: Span, { origin, path }: { origin: string; path: string }) => {
      const [withoutQuery = ''] = path.split('?', 1);
      span.setAttributes({ 'url.full': `${origin}${withoutQuery}`, 'url.query': '' });
    };
    this.#fetch = new UndiciInstrumentation({ requireParentforSpans: true, requestHook });
    this.#fetch.enable();
  }

  #send(span: ReadableSpan): void {
    for (const each of this.#queues) each.send(span);
  }
}

/** Masks the paths of a span. Replaces its attributes and does not change them, because several spans may share them. */
export function withMaskedPaths(span: ReadableSpan, mask: (text: string) => string): ReadableSpan {
  for (const name of pathAttributes) {
    const path = span.attributes[name];
    if (typeof path === 'string') Object.assign(span, { attributes: { ...span.attributes, [name]: mask(path) } });
  }
  return span;
}

function samplingOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: share }: TraceSettings): Sampling {
  const ratio = name.endsWith('always_on') ? 1 : name.endsWith('always_off') ? 0 : share;
  return { ratio, byParent: name.startsWith('parentbased_') };
}
