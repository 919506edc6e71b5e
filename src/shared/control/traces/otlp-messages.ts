import protobuf from 'protobufjs';
import { z } from 'zod';
import { messageOf, type Refusal, refusal } from '../../kernel/errors/index.ts';

/** The two forms of OTLP over HTTP, by their content type. */
export type OtlpForm = 'application/json' | 'application/x-protobuf';

/** The messages of OTLP, as far as they are read, without their lists. What contains a list stays bytes. */
const { root } = protobuf.parse(`
syntax = "proto3";
message ResourceSpans { bytes resource = 1; }
message ScopeSpans { Scope scope = 1; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1;
  bytes span_id = 2;
  bytes parent_span_id = 4;
  string name = 5;
  int32 kind = 6;
  fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8;
  Status status = 15;
  fixed32 flags = 16;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; }
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    bytes array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7;
  }
}
message Response { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
`);

/** The numbers of the lists of messages. */
const lists = {
  ...{ 'Request.resourceSpans': 1, 'ResourceSpans.scopeSpans': 2, 'ScopeSpans.spans': 2, 'Resource.attributes': 1 },
  ...{ 'Span.attributes': 9, 'Span.events': 11, 'Span.links': 13, 'Event.attributes': 3, 'Link.attributes': 4 },
  ...{ 'ArrayValue.values': 1, 'KeyValueList.values': 1 },
} as const;

const text = z.string().nullish();
const whole = z.int().nullish();
/** Nanoseconds since 1970. */
const time = z.union([z.string(), z.number()]).nullish();
/** JSON has hexadecimal digits. */
const id = z.union([z.string(), z.instanceof(Uint8Array)]).nullish();

/** The fields of messages without their lists. A field that is missing has its default. */
const fields = {
  ResourceSpans: z.object({ resource: z.unknown().optional() }),
  ScopeSpans: z.object({ scope: z.object({ name: text, version: text }).nullish() }),
  Span: z.object({
    ...{ traceId: id, spanId: id, parentSpanId: id, name: text, kind: whole, flags: whole },
    ...{ startTimeUnixNano: time, endTimeUnixNano: time },
    status: z.object({ message: text, code: whole }).nullish(),
  }),
  Event: z.object({ timeUnixNano: time, name: text }),
  Link: z.object({ traceId: id, spanId: id }),
  KeyValue: z.object({ key: text, value: z.unknown().optional() }),
};
type MessageName = keyof typeof fields;
type MessageFields = { readonly [Name in MessageName]: z.output<(typeof fields)[Name]> };
export type OtlpSpan = MessageFields['Span'];
export type OtlpId = OtlpSpan['traceId'];

/** A message of OTLP: its bytes in Protocol Buffers, or an object of JSON. */
export type OtlpMessage = unknown;

/** Opens a request. Throws when the bytes are not even JSON. */
export function openRequest(body: Uint8Array, form: OtlpForm): OtlpMessage {
  return form === 'application/json' ? JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) : body;
}

/** Maps an error from reading a request to the refusal for its sender. */
export function unreadable(cause: unknown): Refusal {
  const [issue] = cause instanceof z.ZodError ? cause.issues : [];
  const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(cause).slice(0, 200);
  return refusal('malformed-body', `The body is no ExportTraceServiceRequest: ${reason}`, undefined, { cause });
}

/** Reads the fields of a message, without its lists. Throws when they have other types. */
export function fieldsOf<Name extends MessageName>(message: OtlpMessage, name: Name): MessageFields[Name] {
  return (message instanceof Uint8Array ? decode(name, message) : fields[name].parse(message)) as MessageFields[Name];
}

/** Reads the first entries of a list, and counts all: a small body may have millions. Throws when it is no list. */
export function entriesOf(
  message: OtlpMessage,
  list: keyof typeof lists,
  max: number,
): { readonly entries: readonly OtlpMessage[]; readonly total: number } {
  if (message instanceof Uint8Array) return occurrences(message, lists[list], max);
  const [, name = ''] = list.split('.');
  const all = (message as Record<string, unknown> | null | undefined)?.[name] ?? [];
  if (!Array.isArray(all)) throw new TypeError(`${name} is no list`);
  return { entries: all.slice(0, max), total: all.length };
}

/** Reads the value in an entry of an `ArrayValue`, where `fieldsOf` reads that of a `KeyValue`. */
export function anyValueOf(entry: OtlpMessage): unknown {
  return entry instanceof Uint8Array ? decode('AnyValue', entry) : entry;
}

/** Reads a field that occurs many times, and skips the others. */
function occurrences(bytes: Uint8Array, number: number, max: number): ReturnType<typeof entriesOf> {
  const reader = protobuf.Reader.create(bytes);
  const entries: Uint8Array[] = [];
  let total = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const isMeant = tag === ((number << 3) | 2);
    if (isMeant) total += 1;
    if (isMeant && total <= max) entries.push(reader.bytes());
    else reader.skipType(tag & 7, 0, tag >>> 3);
  }
  return { entries, total };
}

function decode(type: string, bytes: Uint8Array): unknown {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = true;
  const found = root.lookupType(type);
  return found.toObject(found.decode(reader), { longs: String });
}

/** An `ExportTraceServiceResponse`, or the `Status` of a failure. */
export type OtlpAnswer =
  | { readonly partialSuccess?: { readonly rejectedSpans: number; readonly errorMessage: string } }
  | { readonly message: string };

/** Writes an answer. */
export function writeAnswer(answer: OtlpAnswer, form: OtlpForm): Uint8Array<ArrayBuffer> {
  if (form === 'application/json') return new TextEncoder().encode(JSON.stringify(answer));
  const type = root.lookupType('message' in answer ? 'Status' : 'Response');
  return new Uint8Array(type.encode(type.fromObject(answer)).finish());
}
