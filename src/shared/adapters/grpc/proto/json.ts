/** A `google.protobuf.Value` in the form of protobufjs. `kind` names the member that is set. */
export interface WireJson {
  kind?: string;
  nullValue?: 0;
  numberValue?: number;
  stringValue?: string;
  boolValue?: boolean;
  listValue?: { values?: WireJson[] };
  structValue?: { fields?: Record<string, WireJson> };
}

/** Converts any JSON value to its wire form. As in JSON, an undefined member is left out, and undefined in a list becomes null. */
export function toWireJson(value: unknown): WireJson {
  switch (typeof value) {
    case 'string':
      return { stringValue: wellFormed(value) };
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'object':
      if (value === null) break;
      if (Array.isArray(value)) return { listValue: { values: value.map(toWireJson) } };
      return { structValue: { fields: mapMembers(value, toWireJson, wellFormed) } };
  }
  return { nullValue: 0 };
}

export function fromWireJson(wire: WireJson): unknown {
  switch (wire.kind) {
    case 'stringValue':
      return wire.stringValue;
    case 'numberValue':
      return wire.numberValue;
    case 'boolValue':
      return wire.boolValue;
    case 'listValue':
      return (wire.listValue?.values ?? []).map(fromWireJson);
    case 'structValue':
      return mapMembers(wire.structValue?.fields ?? {}, fromWireJson);
    default:
      return null;
  }
}

/** Returns a new object with mapped keys and values. Leaves out members that are undefined. */
export function mapMembers<A, B>(
  members: object,
  map: (value: A) => B,
  mapKey = (key: string) => key,
): Record<string, B> {
  const mapped: Record<string, B> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) put(mapped, mapKey(key), map(value));
  return mapped;
}

/** Sets a member, even one named `__proto__`. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Thrown for ill-formed text: proto strings are UTF-8, which cannot express a lone surrogate. */
export class IllFormed extends Error {}

export function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new IllFormed();
}

/** Returns the path of the first ill-formed text, such as `lines.0.sku`, or undefined. */
export function findIllFormed(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : '';
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) return key.toWellFormed();
    const found = findIllFormed(member);
    if (found !== undefined) return found === '' ? key : `${key}.${found}`;
  }
  return undefined;
}
