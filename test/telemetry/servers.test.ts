import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { Kerf, moduleNames, placements } from '../harness/kerf.ts';
import { describeWith, server } from '../harness/servers.ts';
import { Shop } from '../harness/shop.ts';
import { ingestOf, jaegerTrace, zipkinTrace } from '../harness/telemetry-servers.ts';
import { fromJaeger, fromZipkin, inZipkin, type TreeSpan, traceIdOf, treeOf, treeOfOrder } from '../harness/traces.ts';

/** The ways by which all modules reach each other. */
const ways = [
  { name: 'HTTP', via: 'http', bus: 'mitt', options: {} },
  { name: 'gRPC', via: 'grpc', bus: 'http', options: deep },
  {
    name: 'RabbitMQ',
    options: deep,
    via: 'queue',
    bus: server('rabbitmq') && `${server('rabbitmq')!.url}?namespace=${randomUUID()}`,
  },
];

/** Places an order in a system with every module in a process of its own. Resolves with the id of its trace, once it has stopped. */
async function traceOfOrder(
  { via, bus }: (typeof ways)[number],
  tree: string,
  exporter: Record<string, string>,
): Promise<string> {
  const topology = placements({ name: 'all out', out: moduleNames, via, ...(bus && { bus }) });
  const kerf = await Kerf.start({ env: { ...topology, ...exporter, OTEL_TRACES_SAMPLER_ARG: '1' } });
  const member = await new Shop(kerf.url).join({ phone: '+82 10 1234 5678' });
  const { status, headers } = await member.order('WAX');
  expect(status).toBe(201);
  const traceId = traceIdOf(headers);
  await kerfHasTrace(kerf, traceId, tree);
  // A process that stops sends what waits.
  expect(await kerf.stop()).toBe(0);
  return traceId;
}

/** Waits until the system itself has the whole trace. */
async function kerfHasTrace(kerf: Kerf, traceId: string, tree: string): Promise<void> {
  const treeNow = async () => treeOf(((await kerf.ops(`/ops/traces/${traceId}`)) as { items: TreeSpan[] }).items);
  await expect.poll(treeNow).toBe(tree);
}

const treeInZipkin = (spans: Parameters<typeof fromZipkin>[0]) => treeOf(fromZipkin(spans));

for (const way of ways) {
  const whole = treeOfOrder(true, way.via === 'queue' ? 'amqp' : way.bus);
  const wholeInZipkin = inZipkin(whole);
  const describeWay = (name: 'zipkin' | 'jaeger', title: string, body: (url: string) => void) =>
    describeWith(name, `${title}, by ${way.name}`, ({ url }) => {
      if (way.bus) body(url);
      else describeWith('rabbitmq', 'over RabbitMQ', () => body(url));
    });

  describeWay('zipkin', 'an order in Zipkin', (url) => {
    it('has the same tree as in the system', way.options, async () => {
      const endpoint = { OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${url}/api/v2/spans` };
      const traceId = await traceOfOrder(way, whole, endpoint);
      const enough = (spans: Parameters<typeof fromZipkin>[0]) => treeInZipkin(spans) === wholeInZipkin;
      expect(treeInZipkin(await zipkinTrace(traceId, { enough }))).toBe(wholeInZipkin);
    });
  });

  describeWay('jaeger', 'an order in Jaeger', () => {
    const enough = (spans: Parameters<typeof fromJaeger>[0]) => treeOf(fromJaeger(spans)) === whole;

    it.each(['http/protobuf', 'grpc'] as const)(
      'has the same tree, sent by OTLP over %s',
      way.options,
      async (protocol) => {
        const { http, grpc } = ingestOf('jaeger');
        const traceId = await traceOfOrder(way, whole, {
          OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? grpc : http,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        });
        expect(treeOf(fromJaeger(await jaegerTrace(traceId, { enough })))).toBe(whole);
      },
    );

    describeWith('otel-collector', 'through an OpenTelemetry Collector', () => {
      it('has the same tree', way.options, async () => {
        const traceId = await traceOfOrder(way, whole, {
          OTEL_EXPORTER_OTLP_ENDPOINT: ingestOf('otel-collector').http,
        });
        expect(treeOf(fromJaeger(await jaegerTrace(traceId, { enough })))).toBe(whole);
      });
    });
  });
}
