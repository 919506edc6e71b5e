import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { id, text } from './schemas.ts';

const nil = '00000000-0000-0000-0000-000000000000';
const greatest = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const uuids = fc.oneof(
  fc.uuid(),
  fc.constantFrom(nil, greatest),
  fc.uuid().map((each) => each.toUpperCase()),
);

/** UUIDs with one character inserted, removed or replaced. */
const spoiled = fc
  .tuple(uuids, fc.nat(36), fc.nat(1), fc.constantFrom('', '-', '0', '9', 'a', 'G', 'é', '\n'))
  .map(([uuid, at, out, put]) => uuid.slice(0, at) + put + uuid.slice(at + out));

it("an id schema accepts the same values as Zod's UUID, with the same messages and description", () => {
  const uuid = z.uuid();
  fc.assert(
    fc.property(fc.oneof(uuids, spoiled, fc.string()), (value) => {
      const { success, error } = uuid.safeParse(value);
      const found = id.safeParse(value);
      expect([found.success, found.error?.issues[0]?.message]).toEqual([success, error?.issues[0]?.message]);
    }),
    { numRuns: 2_000, examples: [[nil], [greatest], [`${nil}\n`], ['']] },
  );
  expect(z.toJSONSchema(id)).toEqual(z.toJSONSchema(uuid));
});

it('a text schema accepts exactly the values of its JSON Schema', () => {
  const schema = text(20, 1);
  const { pattern, minLength, maxLength } = z.toJSONSchema(schema);
  const described = new RegExp(pattern!, 'u');
  const texts = fc.string({
    unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 25,
  });
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: 'grapheme', maxLength: 10 })), (value) => {
      // JSON Schema counts code points.
      const length = [...value].length;
      const fits = length >= minLength! && length <= maxLength! && described.test(value);
      expect(schema.safeParse(value).success).toBe(fits);
    }),
    { examples: [['\t\r\n'], ['\u000b'], ['\u007f'], ['\u0080'], ['a\u0000'], ['']] },
  );
});
