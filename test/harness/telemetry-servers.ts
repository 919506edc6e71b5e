// Reads back what the test servers of traces and logs have. Each function waits until the server has enough.
import { messageOf } from '../../scripts/setup.mjs';
import { eventually } from './kerf.ts';
import { type ServerName, urlOf } from './servers.ts';

/** What to wait for, and where. */
export interface Reading<T> {
  /** Returns whether the server has everything that the test expects. Default: anything at all. */
  readonly enough?: (found: readonly T[]) => boolean;
  /** The address of a private server. Default: the shared server; without it, the function throws. */
  readonly at?: string;
}

/** A span in the JSON of Zipkin, version 2. Times are in microseconds. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name?: string;
  readonly kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';
  readonly timestamp?: number;
  readonly duration?: number;
  readonly localEndpoint?: { readonly serviceName?: string };
  readonly tags?: Readonly<Record<string, string>>;
}

/** A span as Jaeger's queries return it, with its service. Times are in microseconds. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly service: string;
  readonly startTime: number;
  readonly duration: number;
  readonly references: readonly { readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM'; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

/** A line of a log, as it was sent. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Where a server takes spans: OTLP over HTTP (without `/v1/traces`) and over gRPC, and Zipkin's JSON (without `/api/v2/spans`). */
export function ingestOf(
  name: 'jaeger' | 'otel-collector',
  at = urlOf(name),
): Record<'http' | 'grpc' | 'zipkin', string> {
  const url = new URL(at);
  const first = Number(url.port) + (name === 'jaeger' ? 1 : 0);
  const address = (port: number) => `${url.protocol}//${url.hostname}:${port}`;
  return { http: address(first), grpc: address(first + 1), zipkin: address(first + 2) };
}

/** Where the OpenTelemetry Collector offers the metrics that it took: a target of `scrape`. */
export function scrapedOf(at = urlOf('otel-collector')): string {
  const { hostname, port } = new URL(at);
  return `${hostname}:${Number(port) + 3}`;
}

/** Resolves with the spans of a trace in Zipkin. Throws when it does not have enough of them within a minute. */
export async function zipkinTrace(id: string, reading: Reading<ZipkinSpan> = {}): Promise<ZipkinSpan[]> {
  return read('zipkin', `trace ${id}`, reading, (url) => askOr([], `${url}/api/v2/trace/${id}`));
}

/** Resolves with the spans of a trace in Jaeger. Throws when it does not have enough of them within a minute. */
export async function jaegerTrace(id: string, reading: Reading<JaegerSpan> = {}): Promise<JaegerSpan[]> {
  type Trace = { spans: (JaegerSpan & { processID: string })[]; processes: Record<string, { serviceName: string }> };
  return read('jaeger', `trace ${id}`, reading, async (url) => {
    const { data } = await askOr<{ data: Trace[] }>({ data: [] }, `${url}/api/traces/${id}`);
    return data.flatMap(({ spans, processes }) =>
      spans.map((span) => ({ ...span, service: processes[span.processID]?.serviceName ?? '' })),
    );
  });
}

/**
 * Resolves with the lines that a query finds in OpenSearch (`trace.id:"…" AND log.level:error`), oldest first. Throws when it does
 * not find enough within a minute.
 */
export async function openSearch(
  query: string,
  { index = 'logs-*', ...reading }: Reading<LogLine> & { index?: string } = {},
): Promise<LogLine[]> {
  const body = JSON.stringify({
    size: 10_000,
    query: { query_string: { query } },
    sort: [{ '@timestamp': { order: 'asc', unmapped_type: 'date' } }],
  });
  return read('opensearch', query, reading, async (url) => {
    const path = `${encodeURIComponent(index)}/_search?ignore_unavailable=true`;
    const { hits } = await ask<{ hits: { hits: { _source: LogLine }[] } }>(`${url}/${path}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
    });
    return hits.hits.map(({ _source }) => _source);
  });
}

/**
 * Resolves with the lines that a query finds in VictoriaLogs (LogsQL: `"trace.id":…`), oldest first. Throws when it does not find
 * enough within a minute.
 */
export async function victoriaLogs(query: string, reading: Reading<LogLine> = {}): Promise<LogLine[]> {
  return read('victoria-logs', query, reading, async (url) => {
    const body = new URLSearchParams({ query: `${query} | sort by (_time)` });
    const answer = await request(`${url}/select/logsql/query`, { method: 'POST', body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`victoria-logs answered ${answer.status}: ${text}`);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  });
}

/** Asks a server again and again, until it has enough. */
export function read<T>(
  name: ServerName,
  what: string,
  { enough = (found) => found.length > 0, at = urlOf(name) }: Reading<T>,
  find: (url: string) => Promise<T[]>,
): Promise<T[]> {
  return eventually(async () => {
    const found = await find(at);
    return enough(found) && found;
  }, `the arrival of ${what} in ${name} (${at})`);
}

/** Returns the JSON of an answer. Throws when its status is not that of a success. */
export async function ask<T>(url: string, init?: RequestInit): Promise<T> {
  const answer = await request(url, init);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Like `ask`, but returns `missing` for what the server does not have yet. */
async function askOr<T>(missing: T, url: string): Promise<T> {
  const answer = await request(url);
  if (answer.status === 404) return missing;
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Like `fetch`, but its error names the server. */
export function request(url: string, init?: RequestInit): Promise<Response> {
  return fetch(url, init).catch((cause: Error) => {
    throw new Error(`${url} cannot be reached: ${messageOf(cause.cause ?? cause)}`, { cause });
  });
}
