import { freePort } from './free-port.ts';
import { GoProgram } from './go-program.ts';
import { readyOverHttp } from './http.ts';
import type { Kind } from './kind.ts';

const program = new GoProgram({
  name: 'jaeger',
  version: '1.76.0',
  modules: `
require github.com/jaegertracing/jaeger v1.76.0
replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0
`,
  package: 'github.com/jaegertracing/jaeger/cmd/all-in-one',
});

/** Keeps traces in memory. Its port answers queries. The next three ports take spans: OTLP over HTTP, OTLP over gRPC, Zipkin. */
export const jaeger: Kind = {
  name: 'jaeger',
  port: 16690,
  portCount: 4,
  variable: 'SERVER_JAEGER_URL',
  buildMinutes: 3,
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => program.installed(),
  install: () => program.install(),

  prepare() {},
  async commands({ port }) {
    const listeners = {
      'query.http-server': port,
      'collector.otlp.http': port + 1,
      'collector.otlp.grpc': port + 2,
      'collector.zipkin': port + 3,
      'query.grpc-server': await freePort(),
      'collector.grpc-server': await freePort(),
      'collector.http-server': await freePort(),
      'admin.http': await freePort(),
    };
    const addresses = Object.entries(listeners).map(([name, each]) => `--${name}.host-port=127.0.0.1:${each}`);
    const words = [...addresses, '--memory.max-traces=10000', '--log-level=warn'];
    // Without a sampler that is off, it sends traces of itself to port 4317, and waits ten seconds for that when it stops.
    const env = { SPAN_STORAGE_TYPE: 'memory', OTEL_TRACES_SAMPLER: 'always_off' };
    return [{ program: program.path, words, env }];
  },

  ...readyOverHttp('/api/services'),
  stopSignal: 'SIGTERM',
};
