import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GoProgram } from './go-program.ts';
import { readyOverHttp } from './http.ts';
import { jaeger } from './jaeger.ts';
import { addressOf, type Kind } from './kind.ts';
import { victoriaLogs } from './victoria-logs.ts';

const program = new GoProgram({
  name: 'otel-collector',
  version: '0.165.0',
  modules: `
require (
	github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter v0.165.1
	github.com/open-telemetry/opentelemetry-collector-contrib/receiver/zipkinreceiver v0.165.1
	go.opentelemetry.io/collector/component v1.71.0
	go.opentelemetry.io/collector/confmap v1.71.0
	go.opentelemetry.io/collector/confmap/provider/envprovider v1.71.0
	go.opentelemetry.io/collector/confmap/provider/fileprovider v1.71.0
	go.opentelemetry.io/collector/exporter/otlphttpexporter v0.165.0
	go.opentelemetry.io/collector/otelcol v0.165.0
	go.opentelemetry.io/collector/processor/batchprocessor v0.165.0
	go.opentelemetry.io/collector/receiver/otlpreceiver v0.165.0
	go.opentelemetry.io/collector/service v0.165.0
)
`,
  source: readFileSync(new URL('otel-collector.go', import.meta.url), 'utf8'),
});

const fileIn = (folder: string) => join(folder, 'collector.yaml');

/** The shared Jaeger takes OTLP over HTTP at the port after its own. */
function ofJaeger(): string {
  const url = new URL(addressOf(jaeger));
  url.port = String(Number(url.port) + 1);
  return url.origin;
}

/** While a receiver is down, its data is dropped: the next test has nothing to do with it. */
const settings = (port: number) => `
receivers:
  otlp: { protocols: { http: { endpoint: '127.0.0.1:${port}' }, grpc: { endpoint: '127.0.0.1:${port + 1}' } } }
  zipkin: { endpoint: '127.0.0.1:${port + 2}' }
processors:
  batch: { timeout: 100ms }
exporters:
  otlp_http/jaeger: { endpoint: '${ofJaeger()}', retry_on_failure: { enabled: false } }
  otlp_http/victoria-logs:
    logs_endpoint: '${addressOf(victoriaLogs)}/insert/opentelemetry/v1/logs'
    retry_on_failure: { enabled: false }
  prometheus: { endpoint: '127.0.0.1:${port + 3}' }
service:
  telemetry: { metrics: { level: none }, logs: { level: warn } }
  pipelines:
    traces: { receivers: [otlp, zipkin], processors: [batch], exporters: [otlp_http/jaeger] }
    metrics: { receivers: [otlp], processors: [batch], exporters: [prometheus] }
    logs: { receivers: [otlp], processors: [batch], exporters: [otlp_http/victoria-logs] }
`;

/**
 * Passes traces to the shared Jaeger and logs to the shared VictoriaLogs, and offers metrics to Prometheus. Its port takes OTLP over
 * HTTP; the next ones OTLP over gRPC, spans of Zipkin, and a scrape.
 */
export const otelCollector: Kind = {
  name: 'otel-collector',
  port: 14318,
  portCount: 4,
  variable: 'SERVER_OTEL_COLLECTOR_URL',
  buildMinutes: 4,
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => program.installed(),
  install: () => program.install(),

  prepare: ({ port, folder }) => writeFileSync(fileIn(folder), settings(port)),
  commands: ({ folder }) => [{ program: program.path, words: ['--config', fileIn(folder)], env: process.env }],

  ...readyOverHttp('/v1/traces', '{}'),
  stopSignal: 'SIGTERM',
};
