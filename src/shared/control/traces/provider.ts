import {
  type Attributes,
  type Context,
  context as current,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanContext,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type ReadableSpan, SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { serviceOf } from '../../kernel/telemetry/index.ts';
import { RecordedSpan, type SpanOrigin } from './recorded-span.ts';

export interface ProviderDependencies {
  /** The service of code that runs for no module. */
  readonly ownService: string;
  /** Attributes of every resource: of this process, and of the operator's settings. */
  readonly resource: Attributes;
  readonly sampling: Sampling;
  /** Receives each span that has ended. */
  readonly ended: (span: ReadableSpan) => void;
}

/** How traces are sampled. */
export interface Sampling {
  /** The share of traces that are sampled, from 0 to 1. */
  readonly ratio: number;
  /** Whether the ratio is for traces that begin here, and the others follow their parent. */
  readonly byParent: boolean;
}

/**
 * Makes the spans of a process. Gives each span the resource of its service, which is the module whose code runs, wherever it runs. So a
 * process with ten modules shows the same services as ten processes do. Records traces that are not sampled too, since they may turn out to
 * be slow or fail.
 */
export class ServiceTracerProvider implements TracerProvider {
  private readonly parts: ProviderDependencies;

  constructor(parts: ProviderDependencies) {
    this.parts = parts;
  }

  getTracer(name: string, version?: string): Tracer {
    return new ServiceTracer(version === undefined ? { name } : { name, version }, this.parts);
  }
}

class ServiceTracer implements Tracer {
  readonly #origins = new Map<string, SpanOrigin>();
  readonly #roots: TraceIdRatioBasedSampler;
  private readonly instrumentationScope: SpanOrigin['instrumentationScope'];
  private readonly parts: ProviderDependencies;

  constructor(instrumentationScope: SpanOrigin['instrumentationScope'], parts: ProviderDependencies) {
    this.instrumentationScope = instrumentationScope;
    this.parts = parts;
    this.#roots = new TraceIdRatioBasedSampler(parts.sampling.ratio);
  }

  startSpan(name: string, options: SpanOptions = {}, context = current.active()): Span {
    if (isTracingSuppressed(context)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const above = options.root ? undefined : trace.getSpanContext(context);
    const parent = above && isSpanContextValid(above) ? above : undefined;
    const traceId = parent?.traceId ?? randomHex(4);
    const traceFlags = this.#isSampled(traceId, parent) ? TraceFlags.SAMPLED : TraceFlags.NONE;
    const state = parent?.traceState;
    const own = { traceId, spanId: randomHex(2), traceFlags, ...(state && { traceState: state }) };
    return new RecordedSpan(name, options, own, parent, this.#originOf(serviceOf(context) ?? this.parts.ownService));
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...given: unknown[]): ReturnType<F> {
    const task = given.pop() as F;
    const [options, context = current.active()] = given as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, context);
    return current.with(trace.setSpan(context, span), () => task(span) as ReturnType<F>);
  }

  #isSampled(traceId: string, parent: SpanContext | undefined): boolean {
    if (parent && this.parts.sampling.byParent) return (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
    return this.#roots.shouldSample(undefined, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  #originOf(service: string): SpanOrigin {
    let origin = this.#origins.get(service);
    if (!origin) {
      const { parts, instrumentationScope } = this;
      const resource = resourceFromAttributes({ ...parts.resource, 'service.name': service });
      origin = { resource, instrumentationScope, ended: parts.ended };
      this.#origins.set(service, origin);
    }
    return origin;
  }
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Returns an id of so many times eight hexadecimal digits, not all of them zero. */
function randomHex(words: number): string {
  let id = '';
  for (let word = 0; word < words; word++) {
    const random = Math.floor(Math.random() * 0xffff_ffff) + 1;
    id += hex[random >>> 24]! + hex[(random >>> 16) & 255]! + hex[(random >>> 8) & 255]! + hex[random & 255]!;
  }
  return id;
}
