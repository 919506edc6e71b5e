import {
  type Attributes,
  type Context,
  context as current,
  type Link,
  type Span,
  type SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { serviceOf } from '../../kernel/telemetry/index.ts';

export interface ProviderDependencies {
  /** The service of code that runs for no module. */
  readonly ownService: string;
  /** Attributes of every resource: of this process, and of the operator's settings. */
  readonly resource: Attributes;
  readonly sampler: Sampler;
  readonly processor: SpanProcessor;
}

/** Samples traces by a ratio, from 0 to 1; with `byParent`, only traces that begin here. Records the spans of other traces as well, since they may turn out to be slow or fail. */
export class RecordingSampler implements Sampler {
  readonly #roots: TraceIdRatioBasedSampler;
  private readonly byParent: boolean;

  constructor(ratio: number, byParent: boolean) {
    this.#roots = new TraceIdRatioBasedSampler(ratio);
    this.byParent = byParent;
  }

  shouldSample(parent: Context, traceId: string, ..._: [string, SpanKind, Attributes, Link[]]): SamplingResult {
    const above = this.byParent ? trace.getSpanContext(parent) : undefined;
    const isSampled = above
      ? (above.traceFlags & TraceFlags.SAMPLED) !== 0
      : this.#roots.shouldSample(parent, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
    return { decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.RECORD };
  }

  toString(): string {
    return `${this.#roots}, and records the rest`;
  }
}

/**
 * Gives each span the resource of its service, which is the module whose code runs, wherever it runs. So a process with ten modules shows
 * the same services as ten processes do.
 */
export class ServiceTracerProvider implements TracerProvider {
  readonly #providers = new Map<string, BasicTracerProvider>();
  private readonly parts: ProviderDependencies;

  constructor(parts: ProviderDependencies) {
    this.parts = parts;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    const tracers = new Map<string, Tracer>();
    return new ServiceTracer((of) => {
      const service = serviceOf(of) ?? this.parts.ownService;
      const known = tracers.get(service);
      if (known) return known;
      const tracer = this.#providerOf(service).getTracer(name, version, options);
      tracers.set(service, tracer);
      return tracer;
    });
  }

  #providerOf(service: string): BasicTracerProvider {
    const known = this.#providers.get(service);
    if (known) return known;
    const { resource, sampler, processor } = this.parts;
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ ...resource, 'service.name': service }),
      sampler,
      spanProcessors: [processor],
    });
    this.#providers.set(service, provider);
    return provider;
  }
}

class ServiceTracer implements Tracer {
  private readonly tracerOf: (of: Context) => Tracer;

  constructor(tracerOf: (of: Context) => Tracer) {
    this.tracerOf = tracerOf;
  }

  startSpan(name: string, options?: SpanOptions, parent = current.active()): Span {
    return this.tracerOf(parent).startSpan(name, options, parent);
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...given: unknown[]): ReturnType<F> {
    const task = given.pop() as F;
    const [options, parent = current.active()] = given as [SpanOptions?, Context?];
    return this.tracerOf(parent).startActiveSpan(name, options ?? {}, parent, task);
  }
}
