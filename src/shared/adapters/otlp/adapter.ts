import { StartError } from '../../kernel/errors/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';

const clients = {
  'http/protobuf': async () => new (await import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter(),
  grpc: async () => new (await import('@opentelemetry/exporter-trace-otlp-grpc')).OTLPTraceExporter(),
};

/** Sends spans by OTLP, the protocol of OpenTelemetry. The `OTEL_EXPORTER_OTLP_*` variables mean what they mean elsewhere. */
export function otlp(): Adapter {
  return {
    name: 'otlp',
    spanExporter: {
      name: 'otlp',
      askedForBy: ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
      open: ({ OTEL_EXPORTER_OTLP_PROTOCOL: general, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: own }) => {
        const protocol = own || general || 'http/protobuf';
        if (protocol === 'grpc' || protocol === 'http/protobuf') return clients[protocol]();
        const setting = own ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL' : 'OTEL_EXPORTER_OTLP_PROTOCOL';
        throw new StartError(`setting ${setting}: "${protocol}" is no protocol here; say http/protobuf or grpc`);
      },
    },
  };
}
