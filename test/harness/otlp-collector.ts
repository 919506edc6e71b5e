import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** The messages of OTLP that carry log lines, as far as these tests read them. */
const { root } = protobuf.parse(`
syntax = "proto3";
package opentelemetry.proto;
message Request { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeLogs { repeated LogRecord log_records = 2; }
message LogRecord {
  fixed64 time_unix_nano = 1;
  int32 severity_number = 2;
  string severity_text = 3;
  AnyValue body = 5;
  repeated KeyValue attributes = 6;
  fixed32 flags = 8;
  bytes trace_id = 9;
  bytes span_id = 10;
}
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`);
const requestType = root.lookupType('opentelemetry.proto.Request');

/** A log line, as a server of OTLP receives it. */
export interface ReceivedLine {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Nanoseconds since 1970. */
  readonly at: string;
  readonly severity: readonly [number, string];
  readonly body: unknown;
  readonly flags: number;
  readonly traceId: string;
  readonly spanId: string;
}

/** Takes log lines by OTLP over HTTP with Protocol Buffers, and over gRPC. */
export class OtlpCollector {
  readonly lines: ReceivedLine[] = [];
  /** The path and the content type of each request by HTTP. */
  readonly requests: (readonly [path: string | undefined, type: string | undefined])[] = [];
  readonly #http: Server;
  readonly #grpc = new grpc.Server();
  #grpcPort = 0;

  private constructor(server: Server) {
    this.#http = server;
    server.on('request', async (request, response) => {
      this.requests.push([request.url, request.headers['content-type']]);
      if (request.url === '/v1/logs') this.#take(await bodyOf(request));
      response.writeHead(200).end();
    });
    this.#grpc.addService(
      {
        Export: {
          path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
          ...{ requestStream: false, responseStream: false },
          ...{ requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same },
        },
      },
      {
        Export: (call: { request: Buffer }, done: (error: null, answer: Buffer) => void) => {
          this.#take(call.request);
          done(null, Buffer.alloc(0));
        },
      },
    );
  }

  static async open(): Promise<OtlpCollector> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const collector = new OtlpCollector(server);
    const insecure = grpc.ServerCredentials.createInsecure();
    collector.#grpcPort = await new Promise((resolve, reject) =>
      collector.#grpc.bindAsync('127.0.0.1:0', insecure, (error, port) => (error ? reject(error) : resolve(port))),
    );
    return collector;
  }

  /** The values of `OTEL_EXPORTER_OTLP_ENDPOINT`, by protocol. */
  get endpoints(): Record<'http/protobuf' | 'grpc', string> {
    const { port } = this.#http.address() as AddressInfo;
    return { 'http/protobuf': `http://127.0.0.1:${port}`, grpc: `http://127.0.0.1:${this.#grpcPort}` };
  }

  close(): void {
    this.#http.close();
    this.#http.closeAllConnections();
    this.#grpc.forceShutdown();
  }

  #take(body: Uint8Array): void {
    const { resourceLogs = [] } = requestType.toObject(requestType.decode(body), { longs: String }) as Request;
    for (const { resource, scopeLogs } of resourceLogs)
      for (const { logRecords } of scopeLogs)
        for (const record of logRecords) this.lines.push(lineOf(record, fieldsOf(resource.attributes)));
  }
}

const same = (bytes: Buffer) => bytes;

type AnyValue = Readonly<Record<string, unknown>> & {
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
};
interface KeyValue {
  readonly key: string;
  readonly value?: AnyValue;
}
interface LogRecord {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body?: AnyValue;
  readonly attributes?: readonly KeyValue[];
  readonly flags?: number;
  readonly traceId?: Buffer;
  readonly spanId?: Buffer;
}
interface Request {
  readonly resourceLogs?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}

function lineOf(record: LogRecord, resource: ReceivedLine['resource']): ReceivedLine {
  return {
    resource,
    attributes: fieldsOf(record.attributes),
    at: record.timeUnixNano,
    severity: [record.severityNumber, record.severityText],
    body: plainValue(record.body),
    flags: record.flags ?? 0,
    traceId: record.traceId?.toString('hex') ?? '',
    spanId: record.spanId?.toString('hex') ?? '',
  };
}

function fieldsOf(pairs: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(given: AnyValue = {}): unknown {
  const { arrayValue, kvlistValue } = given;
  if (arrayValue) return (arrayValue.values ?? []).map(plainValue);
  if (kvlistValue) return fieldsOf(kvlistValue.values);
  const [[kind, value] = []] = Object.entries(given);
  return kind === 'intValue' ? Number(value) : value;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const body = await buffer(request);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}
