import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { isAttributeValue } from '@opentelemetry/core';
import { anyValueOf, entriesOf, fieldsOf, type OtlpMessage } from './otlp-messages.ts';

/** Maximum number of attributes, of events and of links of a span, as in OpenTelemetry; and of entries of a list in a value. */
export const maxOfEach = 128;
/** Maximum length of a text. */
const maxCharacters = 1_024;
const maxNameCharacters = 255;
/** Maximum depth of a nested value. */
const maxDepth = 8;

/** Returns the text without lone surrogates. A text that is too long is cut, and is a copy: a part of it would keep it in memory. */
export function shortText(text: string, max = maxCharacters): string {
  return text.length > max ? Buffer.from(text.slice(0, max)).toString() : text.toWellFormed();
}

/** Returns a name in one line. */
export function shortName(text: string | null | undefined): string {
  return shortText(text ?? '', maxNameCharacters).replace(/\p{Cc}+/gu, ' ');
}

/** The characters that the attributes of a span, or of a resource, may still have. */
export interface Room {
  characters: number;
}

/** Reads the attributes of a message until the limit. Counts the attributes that it drops. */
export function readAttributes(
  message: OtlpMessage,
  list: `${'Resource' | 'Span' | 'Event' | 'Link'}.attributes`,
  room: Room,
): { attributes: Attributes; dropped: number } {
  const read = new Map<string, AttributeValue>();
  const { entries, total } = entriesOf(message, list, maxOfEach);
  for (const entry of entries) {
    const { key, value } = fieldsOf(entry, 'KeyValue');
    const name = shortName(key);
    const short = attributeOf(value);
    if (name === '' || short === undefined) continue;
    const characters = name.length + lengthOf(short);
    if (characters > room.characters) continue;
    room.characters -= characters;
    read.set(name, short);
  }
  return { attributes: Object.fromEntries(read), dropped: total - read.size };
}

function lengthOf(value: AttributeValue): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + lengthOf(each ?? ''), 0);
  return typeof value === 'string' ? value.length : 8;
}

/** Returns a value as OpenTelemetry's API knows it: a nested one becomes JSON. */
function attributeOf(given: unknown): AttributeValue | undefined {
  const value = plainValue(given, 0);
  if (value === null) return undefined;
  return isAttributeValue(value) ? value : shortText(JSON.stringify(value));
}

/** Reads a value of any type and depth. The sender has not been checked. */
function plainValue(given: unknown, depth: number): unknown {
  if (typeof given !== 'object' || given === null) return null;
  const [[kind = '', value] = []] = Object.entries(given);
  if (kind === 'arrayValue')
    return nested(value, depth, 'ArrayValue.values', (entry) => plainValue(anyValueOf(entry), depth + 1));
  if (kind === 'kvlistValue') {
    const pairs = nested(value, depth, 'KeyValueList.values', (entry) => pairOf(entry, depth));
    return Array.isArray(pairs) ? Object.fromEntries(pairs) : pairs;
  }
  if (value instanceof Uint8Array) return shortText(Buffer.from(value.subarray(0, maxCharacters)).toString('base64'));
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  if (kind === 'doubleValue') return Number(value);
  if (kind === 'intValue' && Number.isSafeInteger(Number(value))) return Number(value);
  return shortText(String(value));
}

function pairOf(entry: OtlpMessage, depth: number): [string, unknown] {
  const { key, value } = fieldsOf(entry, 'KeyValue');
  return [shortName(key), plainValue(value, depth + 1)];
}

/** Reads the first entries of a list. Returns a mark instead of a list that is nested too deep or cannot be read. */
function nested<T>(
  value: unknown,
  depth: number,
  list: 'ArrayValue.values' | 'KeyValueList.values',
  read: (entry: OtlpMessage) => T,
): T[] | string {
  if (depth >= maxDepth) return '…';
  try {
    return entriesOf(value, list, maxOfEach).entries.map(read);
  } catch {
    return 'unreadable';
  }
}
