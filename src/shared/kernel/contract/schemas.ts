import { z } from 'zod';

const unstorable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/**
 * Returns the schema of a text that every database and every wire keeps unchanged: well-formed Unicode without control characters
 * (line breaks and tabs are allowed).
 */
export function text(maxLength: number, minLength = 0) {
  return z
    .string()
    .min(minLength)
    .max(maxLength)
    .refine(isStorable, 'must be well-formed, without control characters')
    .meta({ pattern: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$' });
}

function isStorable(value: string): boolean {
  // Most texts are short and plain. For them, this loop costs less than the calls.
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 0x20 || code === 0x7f || code >= 0xd800) return value.isWellFormed() && !unstorable.test(value);
  }
  return true;
}

const uuid = z.regexes.uuid();
/** The same pattern with each digit written out. V8 takes twice the time for counted digits, such as `[0-9a-f]{8}`. */
const uuidWrittenOut = new RegExp(uuid.source.replace(/(\[[^\]]+\])\{(\d+)\}/g, (_, set, times) => set.repeat(times)));

/** A time-sortable id (UUIDv7). */
export const id = z.stringFormat('uuid', uuidWrittenOut).meta({ pattern: uuid.source });

/** ISO 8601, UTC. */
export const instant = z.iso.datetime();

/** An amount in minor units (cents, won) of a currency. */
export const money = z.strictObject({
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as KRW'),
});

/** The request for a page of a list. */
export const pageRequest = z.strictObject({
  limit: z.int().min(1).max(100).default(20),
  cursor: text(512).optional(),
});

/** Returns the schema of a page. `next` is the cursor of the next page, or null on the last page. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

const entityTags = z.array(z.string().max(1_000)).max(100);

/**
 * The state in which a resource must be for a change: the entity tags of `If-Match` and `If-None-Match`, or `*`. A command takes them
 * as a part of its input and checks them in its unit of work.
 */
export const preconditions = z.strictObject({ ifMatch: entityTags.optional(), ifNoneMatch: entityTags.optional() });
export type Preconditions = z.infer<typeof preconditions>;

/** An empty input or output. */
export const nothing = z.strictObject({});
