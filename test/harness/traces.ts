import type { SpanRow } from '../../src/shared/control/admin-contract/index.ts';
import type { JaegerSpan, ZipkinSpan } from './telemetry-servers.ts';

/** Returns the id of the trace that an answer names. */
export function traceIdOf(headers: Headers): string {
  return headers.get('traceresponse')?.split('-')[1] ?? 'none';
}

/** What a tree shows of a span. */
export type TreeSpan = Pick<SpanRow, 'spanId' | 'parentSpanId' | 'service' | 'kind' | 'name' | 'failed'> & {
  readonly links: readonly { readonly spanId: string }[];
};

/**
 * Writes the spans of a trace as an indented text: service, kind, name, and how it is linked. Spans below one parent are sorted, and equal
 * lines stand once, because the number of commits depends on the time.
 */
export function treeOf(spans: readonly TreeSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = Map.groupBy(spans, ({ parentSpanId }) => (parentSpanId && ids.has(parentSpanId) ? parentSpanId : null));
  const linesOf = (parent: string | null): string[] => {
    const blocks = (below.get(parent) ?? []).map((span) => {
      const toParent = span.links.some(({ spanId }) => spanId === span.parentSpanId);
      const line = `${span.service} ${span.kind} ${span.name}${toParent ? ', linked' : ''}${span.failed ? ', failed' : ''}`;
      return [line, ...linesOf(span.spanId).map((each) => `  ${each}`)].join('\n');
    });
    return [...new Set(blocks)].sort().flatMap((block) => block.split('\n'));
  };
  return linesOf(null).join('\n');
}

const placing = `
orders client orders/place
  orders server orders/place
    orders client catalog/find
      catalog server catalog/find
    orders client unit of work orders
    orders internal saga checkout
      orders client unit of work orders
      orders internal step authorize payment
        orders client payments/authorize
          payments server payments/authorize
            payments client unit of work payments
      orders internal step capture payment
        orders client payments/capture
          payments server payments/capture
            payments client unit of work payments
            payments producer create payments.payment-captured.v1
      orders internal step reserve stock
        orders client inventory/reserve
          inventory server inventory/reserve
            inventory client unit of work inventory
      orders internal step take stock
        orders client inventory/take
          inventory server inventory/take
            inventory client unit of work inventory
      orders producer create orders.order-confirmed.v1
        notifications consumer process orders.order-confirmed.v1, linked
          notifications internal saga mail-dispatch
            notifications client unit of work notifications
            notifications internal step hand to mail
              notifications client mail/send
                mail server mail/send
                  mail client unit of work mail
                  mail internal saga sending
                    mail client unit of work mail
                    mail producer create mail.mail-sent.v1
                      mail client send mail.mail-sent.v1
                      notifications consumer process mail.mail-sent.v1, linked
          notifications internal saga text-dispatch
            notifications client unit of work notifications
            notifications internal step hand to sms
              notifications client sms/send
                sms server sms/send
                  sms client unit of work sms
                  sms internal saga sending
                    sms client unit of work sms
                    sms producer create sms.sms-sent.v1
                      notifications consumer process sms.sms-sent.v1, linked
                      sms client send sms.sms-sent.v1
        orders client send orders.order-confirmed.v1
        recommendations consumer process orders.order-confirmed.v1, linked
    orders producer create orders.order-placed.v1
`;

/**
 * The tree of a confirmed order of a member with a phone, from the request to the messages. It is the same in every topology. Only a
 * gateway that does not run the resources of orders passes the request on, which adds two spans; and a broker as bus adds two.
 */
export function treeOfOrder(isForwarded: boolean, bus = 'mitt'): string {
  const lines = (bus === 'mitt' || bus === 'http' ? placing : withEveryEventSent()).trim().split('\n');
  if (!isForwarded) return ['gateway server POST /orders', ...within(1, lines, 'gateway')].join('\n');
  const passedOn = [
    'gateway server POST /orders',
    '  gateway client orders/kerf.write',
    '    orders server orders/kerf.write',
  ];
  return [...passedOn, ...within(3, lines, 'orders')].join('\n');
}

/** A broker gets every event. Without one, an event leaves only for its subscribers, and two events have none. */
function withEveryEventSent(): string {
  const unheard = /^( +)(orders|payments) producer create (orders.order-placed|payments.payment-captured).v1$/gm;
  return placing.replaceAll(
    unheard,
    (line, indent, module, type) => `${line}\n${indent}  ${module} client send ${type}.v1`,
  );
}

/** The first line, the call of `place`, belongs to `caller`. */
function within(levels: number, [, ...rest]: readonly string[], caller: string): string[] {
  return [`${caller} client orders/place`, ...rest].map((line) => `${'  '.repeat(levels)}${line}`);
}

/** Reads spans of Zipkin, which knows no links and writes names in lower case. */
export function fromZipkin(spans: readonly ZipkinSpan[]): TreeSpan[] {
  return spans.map(({ id, parentId, localEndpoint, kind, name = '' }) => ({
    ...{ spanId: id, parentSpanId: parentId ?? null, service: localEndpoint?.serviceName ?? '', name },
    ...{ kind: (kind?.toLowerCase() ?? 'internal') as TreeSpan['kind'], failed: false, links: [] },
  }));
}

/** Returns a tree as Zipkin shows it: without links, in lower case. */
export function inZipkin(tree: string): string {
  return tree.replaceAll(', linked', '').toLowerCase();
}

/** Reads spans of Jaeger, which keeps parents and links as references: one reference when they are the same span. */
export function fromJaeger(spans: readonly JaegerSpan[]): TreeSpan[] {
  return spans.map(({ spanID, service, operationName, references, tags }) => ({
    ...{ spanId: spanID, service, name: operationName, failed: false },
    parentSpanId: (references.find(({ refType }) => refType === 'CHILD_OF') ?? references[0])?.spanID ?? null,
    links: references.filter(({ refType }) => refType === 'FOLLOWS_FROM').map((each) => ({ spanId: each.spanID })),
    kind: (tags.find(({ key }) => key === 'span.kind')?.value ?? 'internal') as TreeSpan['kind'],
  }));
}
