import { trace } from '@opentelemetry/api';
import type { StepOf } from '../../calls/index.ts';
import type { Unit } from '../../database/index.ts';
import {
  endWith,
  fromTraceFields,
  inSpan,
  isSampled,
  isTraced,
  ofService,
  SpanKind,
  startSpan,
} from '../../telemetry/index.ts';
import type { Effect } from '../subscribed.ts';
import type { Delivery } from './deliver.ts';
import type { PublishStep } from './store.ts';

/** Puts the publishing of an event into a span, if it belongs to a trace. The event carries the span to its subscribers. */
export const tracePublished = (): PublishStep => (published, next) => {
  const { event, trace } = published;
  if (!isTraced(trace)) return next(published);
  const attributes = attributesOf('create', event.type);
  return inSpan(`create ${event.type}`, { kind: SpanKind.PRODUCER, attributes }, trace, (context) =>
    next({ ...published, trace: context }),
  );
};

/** Puts the delivery of each event of a sampled trace into a span, below the span of its publisher. */
export const traceDelivery =
  ({ module }: { readonly module: string }): StepOf<Delivery> =>
  (delivery, next) => {
    const { recipient, events } = delivery;
    const spans = events.flatMap(({ type, json }) => {
      const publisher = fromTraceFields({ traceparent: sampledTraceIn(json) });
      if (!isSampled(publisher)) return [];
      const attributes = {
        ...attributesOf('send', type),
        'messaging.destination.subscription.name': recipient,
        'messaging.batch.message_count': events.length,
      };
      return [startSpan(`send ${type}`, { kind: SpanKind.CLIENT, attributes }, ofService(module, publisher)).span];
    });
    const delivered = next(delivery);
    for (const span of spans) endWith(span, delivered);
    return delivered;
  };

/** Returns the `traceparent` of an encoded event whose trace is sampled, without reading the event whole. */
function sampledTraceIn(json: string): string | undefined {
  return /"traceparent":"(00-[0-9a-f]{32}-[0-9a-f]{16}-0[13])"/.exec(json)?.[1];
}

/** Puts the effect of an event into a span of its subscriber: below the span of the publisher, and linked to it. */
export const traceEffect =
  <U extends Unit>({ module }: { readonly module: string }): StepOf<Effect<U>> =>
  (effect, next) => {
    const { envelope } = effect;
    const publisher = fromTraceFields(envelope);
    const attributes = {
      ...attributesOf('process', envelope.type),
      'messaging.message.id': envelope.id,
      'messaging.destination.subscription.name': module,
    };
    const links = isTraced(publisher) ? [{ context: trace.getSpanContext(publisher)! }] : [];
    const options = { kind: SpanKind.CONSUMER, attributes, links };
    return inSpan(`process ${envelope.type}`, options, ofService(module, publisher), (context) =>
      next({ ...effect, trace: context }),
    );
  };

/** Names by OpenTelemetry's conventions for messaging. */
function attributesOf(operation: 'create' | 'send' | 'process', type: string) {
  return {
    'messaging.system.name': 'kerf',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': type,
  };
}
