import {
  type Attributes,
  type AttributeValue,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import {
  type InstrumentationScope,
  isAttributeValue,
  sanitizeAttributes,
  timeInputToHrTime,
} from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace-base';

/** What the spans of one tracer and one service share. */
export interface SpanOrigin {
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly ended: (span: ReadableSpan) => void;
}

/** The links, and the events, of a span without any. Most have none. */
const none: never[] = [];
/** Maximum number of attributes, of events and of links of a span, as in OpenTelemetry. */
const maxOfEach = 128;
/** Maximum difference between the two clocks before the fine one follows the other, which was set. */
const maxDriftMs = 10;
let behindMs = performance.timeOrigin;

/**
 * A span of OpenTelemetry, for its exporters. The SDK's own span costs five times as much, most of it in an order's time. Frozen attributes
 * are shared and not copied.
 */
export class RecordedSpan implements Span, ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  links: Link[] = none;
  events: TimedEvent[] = none;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  attributes: Attributes;
  ended = false;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly #context: SpanContext;
  readonly #origin: SpanOrigin;
  /** Whole microseconds since 1970: Zipkin refuses a part of one. */
  readonly #startUs: number;
  #endUs = 0;

  constructor(
    name: string,
    { kind = SpanKind.INTERNAL, attributes, links, startTime }: SpanOptions,
    context: SpanContext,
    parent: SpanContext | undefined,
    origin: SpanOrigin,
  ) {
    this.name = name;
    this.kind = kind;
    if (parent) this.parentSpanContext = parent;
    if (links && links.length > 0) this.addLinks(links);
    this.attributes =
      attributes && Object.isFrozen(attributes) ? attributes : shortened(sanitizeAttributes(attributes));
    this.#context = context;
    this.#origin = origin;
    this.#startUs = startTime === undefined ? nowUs() : microseconds(startTime);
  }

  get resource(): Resource {
    return this.#origin.resource;
  }

  get instrumentationScope(): InstrumentationScope {
    return this.#origin.instrumentationScope;
  }

  get startTime(): HrTime {
    return hrTime(this.#startUs);
  }

  get endTime(): HrTime {
    return hrTime(this.#endUs);
  }

  get duration(): HrTime {
    return hrTime(this.#endUs - this.#startUs);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.ended || key === '' || !isAttributeValue(value)) return this;
    if (Object.isFrozen(this.attributes)) this.attributes = { ...this.attributes };
    if (!(key in this.attributes) && Object.keys(this.attributes).length >= maxOfEach) this.droppedAttributesCount += 1;
    else this.attributes[key] = short(value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(key, value);
    return this;
  }

  addEvent(name: string, given?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    if (this.events.length >= maxOfEach) {
      this.droppedEventsCount += 1;
      return this;
    }
    const isTime = typeof given === 'number' || given instanceof Date || Array.isArray(given);
    const at = isTime ? (given as TimeInput) : time;
    const attributes = isTime ? {} : shortened(sanitizeAttributes(given as Attributes | undefined));
    if (this.events === none) this.events = [];
    this.events.push({ name, attributes, time: hrTime(at === undefined ? nowUs() : microseconds(at)) });
    return this;
  }

  addLink(link: Link): this {
    if (this.ended) return this;
    if (this.links === none) this.links = [];
    if (this.links.length < maxOfEach) this.links.push(link);
    else this.droppedLinksCount += 1;
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** Drops the message, because it may name a person or a secret. */
  setStatus(status: SpanStatus): this {
    if (!this.ended && status.code !== SpanStatusCode.UNSET && this.status.code !== SpanStatusCode.OK)
      this.status = { code: status.code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  /** Records the type of an exception. Its message and its stack may name a person or a secret; the log has them, masked. */
  recordException(exception: unknown, time?: TimeInput): void {
    this.addEvent(
      'exception',
      { 'exception.type': exception instanceof Error ? exception.name : typeof exception },
      time,
    );
  }

  end(time?: TimeInput): void {
    if (this.ended) return;
    this.ended = true;
    this.#endUs = Math.max(this.#startUs, time === undefined ? nowUs() : microseconds(time));
    this.#origin.ended(this);
  }
}

/** Maximum length of a text. A client chooses some of them, such as the path of a request. */
const maxCharacters = 1_024;

function short(value: AttributeValue): AttributeValue {
  return typeof value === 'string' && value.length > maxCharacters ? value.slice(0, maxCharacters) : value;
}

function shortened(attributes: Attributes): Attributes {
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) attributes[key] = short(value);
  return attributes;
}

/** Returns the time of the machine in whole microseconds. `Date.now()` is too coarse to put spans in order. */
function nowUs(): number {
  if (driftMs() > maxDriftMs) followClock();
  return Math.round((behindMs + performance.now()) * 1_000);
}

function driftMs(): number {
  return Math.abs(behindMs + performance.now() - Date.now());
}

/** Makes the fine clock follow the other one, unless only a pause of the process between two readings made them differ. */
function followClock(): void {
  if (driftMs() > maxDriftMs) behindMs = Date.now() - performance.now();
}

function microseconds(time: TimeInput): number {
  const [seconds, nanos] = timeInputToHrTime(time);
  return seconds * 1_000_000 + Math.round(nanos / 1_000);
}

function hrTime(us: number): HrTime {
  const seconds = Math.floor(us / 1_000_000);
  return [seconds, (us - seconds * 1_000_000) * 1_000];
}
