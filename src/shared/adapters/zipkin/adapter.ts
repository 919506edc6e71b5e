import type { Adapter } from '../../kernel/ports/index.ts';

/** Sends spans to Zipkin, in its format of version 2. `OTEL_EXPORTER_ZIPKIN_ENDPOINT` defaults to http://localhost:9411/api/v2/spans. */
export function zipkin(): Adapter {
  return {
    name: 'zipkin',
    spanExporter: {
      name: 'zipkin',
      askedForBy: ['OTEL_EXPORTER_ZIPKIN_ENDPOINT'],
      open: async () => new (await import('@opentelemetry/exporter-zipkin')).ZipkinExporter(),
    },
  };
}
