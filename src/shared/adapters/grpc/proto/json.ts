/** A `google.protobuf.Value`, as protobufjs takes and gives it; `kind` says which member is set. */
export interface WireJson {
  kind?: string;
  nullValue?: 0;
  numberValue?: number;
  stringValue?: string;
  boolValue?: boolean;
  listValue?: { values?: WireJson[] };
  structValue?: { fields?: Record<string, WireJson> };
}

/** Any JSON on its way out. What JSON leaves out of objects is left out, and what it makes null in lists is null. */
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

/** A new object with the same keys, apart from those of undefined. */
export function mapMembers<A, B>(
  members: object,
  map: (value: A) => B,
  mapKey = (key: string) => key,
): Record<string, B> {
  const mapped: Record<string, B> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) put(mapped, mapKey(key), map(value));
  return mapped;
}

/** Sets a member, also one called `__proto__`. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Proto's strings are UTF-8, in which half a surrogate pair cannot be said. */
export class IllFormed extends Error {}

export function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new IllFormed();
}

/** Where the first ill-formed text is, such as `lines.0.sku`, or undefined. */
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
