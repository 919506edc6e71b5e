import { StartError } from '../../kernel/errors/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';

type Signal = 'TRACES' | 'LOGS';
type Environment = Readonly<Record<string, string | undefined>>;

const spanClients = {
  'http/protobuf': async () => new (await import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter(),
  grpc: async () => new (await import('@opentelemetry/exporter-trace-otlp-grpc')).OTLPTraceExporter(),
};

const logClients = {
  'http/protobuf': async () => new (await import('@opentelemetry/exporter-logs-otlp-proto')).OTLPLogExporter(),
  grpc: async () => new (await import('@opentelemetry/exporter-logs-otlp-grpc')).OTLPLogExporter(),
};

/** Sends spans and log lines by OTLP, the protocol of OpenTelemetry. The `OTEL_EXPORTER_OTLP_*` variables have their standard meanings. */
export function otlp(): Adapter {
  return {
    name: 'otlp',
    spanExporter: {
      name: 'otlp',
      askedForBy: ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
      open: (env) => spanClients[protocolOf('TRACES', env)](),
    },
    logExporter: { name: 'otlp', open: (env) => logClients[protocolOf('LOGS', env)]() },
  };
}

function protocolOf(signal: Signal, env: Environment): 'http/protobuf' | 'grpc' {
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
  const setting = env[own] ? own : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const protocol = env[setting] || 'http/protobuf';
  if (protocol === 'grpc' || protocol === 'http/protobuf') return protocol;
  throw new StartError(`setting ${setting} must be http/protobuf or grpc, not "${protocol}"`);
}
