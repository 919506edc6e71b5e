import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { entriesOf, fieldsOf, type OtlpForm, type OtlpMessage, openRequest, unreadable } from './otlp-messages.ts';
import { readAttributes, shortName } from './otlp-values.ts';
import { type ReceivedOrigin, readSpan } from './received-span.ts';

/** Maximum number of spans of a request: as many as wait for an exporter. */
const maxSpans = 2_048;
/** Maximum number of characters in the attributes of a sender. */
const maxCharacters = 4_096;

interface Around {
  /** Returns whether a service runs in this system. */
  readonly isOwn: (service: string) => boolean;
  readonly nowMs: number;
}

export interface ReceivedSpans {
  readonly spans: ReadableSpan[];
  /** How many spans were rejected, by reason. */
  readonly rejected: Map<string, number>;
}

/** Reads the spans of a request. Throws `malformed-body` when a part of it cannot be read. */
export function readSpans(body: Uint8Array, form: OtlpForm, around: Around): ReceivedSpans {
  const read: ReceivedSpans = { spans: [], rejected: new Map() };
  try {
    for (const each of few(openRequest(body, form), 'Request.resourceSpans')) readSender(each, around, read);
  } catch (error) {
    throw unreadable(error);
  }
  return read;
}

/** Reads a list that is shorter than the spans, since each entry has spans. Throws when it is longer. */
function few(message: OtlpMessage, list: 'Request.resourceSpans' | 'ResourceSpans.scopeSpans'): readonly OtlpMessage[] {
  const { entries, total } = entriesOf(message, list, maxSpans);
  if (total > maxSpans) throw new RangeError(`${list} may have ${maxSpans} entries`);
  return entries;
}

/** Reads the spans of one sender. */
function readSender(message: OtlpMessage, { isOwn, nowMs }: Around, { spans, rejected }: ReceivedSpans): void {
  const reject = (reason: string, count: number) => rejected.set(reason, (rejected.get(reason) ?? 0) + count);
  const { resource, service } = senderOf(fieldsOf(message, 'ResourceSpans').resource);
  for (const each of few(message, 'ResourceSpans.scopeSpans')) {
    const { scope } = fieldsOf(each, 'ScopeSpans');
    const instrumentationScope = { name: shortName(scope?.name), version: shortName(scope?.version) };
    const { entries, total } = entriesOf(each, 'ScopeSpans.spans', isOwn(service) ? 0 : maxSpans - spans.length);
    for (const entry of entries) {
      const read = readSpan(entry, { resource, instrumentationScope }, nowMs);
      if (typeof read === 'string') reject(read, 1);
      else spans.push(read);
    }
    const left = total - entries.length;
    if (left === 0) continue;
    if (isOwn(service)) reject(`the service "${service}" runs in this system: set another service.name`, left);
    else reject(`a request may have ${maxSpans} spans`, left);
  }
}

function senderOf(message: OtlpMessage): { resource: ReceivedOrigin['resource']; service: string } {
  const { attributes } = readAttributes(message, 'Resource.attributes', { characters: maxCharacters });
  const name = shortName(String(attributes['service.name'] ?? '')).trim() || 'unknown_service';
  return { resource: resourceFromAttributes({ ...attributes, 'service.name': name }), service: name.toLowerCase() };
}
