import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contract, query } from '../../../kernel/contract/index.ts';
import type { Codec } from './codec.ts';
import { protoOf } from './proto.ts';
import { schemas, valuesOf } from './values.cases.ts';

function codecOf(input: z.ZodType): Codec {
  return of(input).operations.get('ask')!.input;
}

/** Codecs support more values than contracts, so a contract might refuse these schemas. */
function of(input: z.ZodType, output: z.ZodType = z.object({})) {
  const ask = { ...query({ summary: 'Asks', input, output }), module: 'sample', name: 'ask' };
  return protoOf({ ...contract('sample', { operations: {} }), operations: { ask } });
}

function comesBack(codec: Codec, value: unknown): void {
  deepStrictEqual(codec.decode(codec.encode(value)), value);
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

describe('a decoded value', () => {
  const nasties = z.object({
    text: z.string(),
    int: z.int(),
    double: z.number(),
    flag: z.boolean(),
    list: z.array(z.string()),
    maybe: z.object({
      text: z.string().optional(),
      int: z.int().optional(),
      flag: z.boolean().optional(),
      list: z.array(z.int()).optional(),
      record: z.record(z.string(), z.int()).optional(),
      object: z.object({}).optional(),
      both: z.string().nullable().optional(),
    }),
    orNull: z.object({
      text: z.string().nullable(),
      list: z.array(z.string()).nullable(),
      object: z.object({ deep: z.array(z.array(z.array(z.int()))) }).nullable(),
    }),
    items: z.array(z.string().nullable()),
    union: z.union([z.string(), z.int(), z.boolean(), z.object({ a: z.array(z.int()) }), z.null()]),
    record: z.record(z.string(), z.object({ x: z.int() })),
    lists: z.record(z.string(), z.array(z.string())),
    tuple: z.tuple([z.int(), z.string()]),
  });
  const empty = {
    ...{ text: '', int: 0, double: 0, flag: false, list: [], maybe: {} },
    ...{ orNull: { text: null, list: null, object: null }, items: [], union: null },
    ...{ record: {}, lists: {}, tuple: [0, ''] },
  };
  const full = {
    ...{ text: '🪚 톱질\n\0', int: -1, double: 0.1, flag: true, list: ['', 'a'] },
    maybe: { text: '', int: 0, flag: false, list: [], record: {}, object: {}, both: null },
    orNull: { text: '', list: [], object: { deep: [[], [[]], [[1], [-2, 3]]] } },
    ...{ items: [null, ''], union: { a: [2 ** 53 - 1] }, record: { '': { x: 0 } }, lists: { a: [] }, tuple: [-5, ''] },
  };

  it('equals the sent value: empty is not absent, and absent is not null', () => {
    const codec = codecOf(nasties);
    for (const value of [empty, full]) {
      expect(nasties.parse(value)).toEqual(value);
      comesBack(codec, value);
    }
    for (const int of [2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 31, -(2 ** 31) - 1, 127, 128])
      comesBack(codec, { ...full, int });
    for (const double of [-0.5, 1e300, 5e-324, 2 ** 53 + 2]) comesBack(codec, { ...full, double });
    for (const union of ['', 0, -1, false, true]) comesBack(codec, { ...full, union });
  });

  it('may be an input that is not an object', () => {
    const whole: [z.ZodType, unknown[]][] = [
      [z.string(), ['', 'a']],
      [z.array(z.int()), [[], [1]]],
      [z.object({ a: z.int() }).nullable(), [null, { a: 1 }]],
      [z.array(z.string()).optional(), [undefined, [], ['']]],
      [z.record(z.string(), z.int()).nullable(), [null, {}, { a: 1 }]],
      [z.union([z.int(), z.string()]), [1, '']],
      [z.null(), [null]],
      [z.object({}).catchall(z.int()), [{}, { a: 1 }]],
    ];
    for (const [schema, values] of whole) for (const value of values) comesBack(codecOf(schema), value);
  });

  it('may have a recursive schema', () => {
    const node = z.object({
      name: z.string(),
      get children() {
        return z.array(node);
      },
      get next() {
        return node.optional();
      },
    });
    const leaf = { name: 'leaf', children: [] };
    comesBack(codecOf(node), { name: 'root', children: [leaf, { ...leaf, children: [leaf] }], next: leaf });
  });

  it('has every field, with any name', () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'a b',
      'a_b',
      'aB',
      'a-b',
      '_a',
      'a',
      '',
      '$',
      '톱',
      '"\\\n',
      '1',
    ];
    const schema = z.object(Object.fromEntries(names.map((name) => [name, z.string().optional()])));
    const all = Object.fromEntries(names.map((name) => [name, name]));
    comesBack(codecOf(schema), all);
    comesBack(codecOf(schema), {});
    comesBack(codecOf(z.record(z.string(), z.string())), all);
    comesBack(codecOf(z.record(z.string(), z.union([z.string(), z.int()]))), all);
    expect({}).not.toHaveProperty('polluted');
  });

  it('omits an absent field, so that the schema sets its default', () => {
    const schema = z.object({ limit: z.int().default(20) });
    expect(codecOf(schema).decode(Buffer.alloc(0))).toEqual({});
    comesBack(codecOf(schema), { limit: 0 });
  });

  it('equals the sent value, for any value of any schema', () => {
    const cases = schemas.chain((schema) =>
      fc.tuple(fc.constant(schema), fc.array(valuesOf(schema), { maxLength: 5 })),
    );
    fc.assert(
      fc.property(cases, ([schema, values]) => {
        const codec = codecOf(schema);
        for (const value of values) comesBack(codec, asJson(value));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a program in another language', () => {
  const schema = z.object({
    a_b: z.string(),
    'no identifier': z.int(),
    scores: z.array(z.int()),
    any: z.union([z.string(), z.array(z.int())]),
    tags: z.array(z.string()).optional(),
    inner: z.object({ note: z.string().nullable() }),
  });
  const proto = of(schema, z.array(z.int()));
  const { root } = protobuf.parse(proto.text, { keepCase: true });
  root.addJSON(protobuf.common.get('google/protobuf/struct.proto')!.nested!);
  const type = root.lookupType('kerf.sample.v1.AskInput');
  const { input, output } = proto.operations.get('ask')!;

  it('needs only the text of the .proto', () => {
    const message = type.fromObject({
      a_b: 'x',
      no_identifier: '-7',
      scores: [1, 300],
      any: { listValue: { values: [{ numberValue: 4 }] } },
      tags: {},
      inner: {},
    });
    const value = { a_b: 'x', 'no identifier': -7, scores: [1, 300], any: [4], tags: [], inner: { note: null } };
    expect(input.decode(type.encode(message).finish())).toEqual(value);
    expect(type.decode(input.encode(value)).toJSON()).toMatchObject({
      no_identifier: '-7',
      scores: ['1', '300'],
      tags: {},
    });
  });

  it("may omit proto's default values, and send unknown fields", () => {
    const unknown = protobuf.Writer.create()
      .uint32((99 << 3) | 2)
      .string('new')
      .finish();
    const value = { a_b: '', 'no identifier': 0, scores: [] };
    expect(input.decode(unknown)).toEqual(value);
    expect(schema.safeParse(value).success).toBe(false);
  });

  it('gets an error for bytes that are not a message', () => {
    const bytes = Buffer.from([0x0a, 0x7f, 0x61]);
    expect(() => input.decode(bytes)).toThrow(expect.objectContaining({ code: 'malformed-body' }));
    expect(() => input.decode(Buffer.from([0x0a, 1, 0xff]))).toThrow(/are no kerf\.sample\.v1\.AskInput/);
    expect(() => output.decode(bytes)).toThrow(RangeError);
  });
});

describe('a value that proto cannot represent', () => {
  const schema = z.object({ lines: z.array(z.object({ sku: z.string() })), any: z.union([z.string(), z.int()]) });
  const { input, output } = of(schema, schema).operations.get('ask')!;

  it('is refused with its path', () => {
    const half = '\ud83e';
    const text = { lines: [{ sku: 'a' }, { sku: half }], any: '' };
    expect(() => input.encode(text)).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: 'lines.1.sku: must be well-formed text' }),
    );
    expect(() => input.encode({ lines: [], any: half })).toThrow(/^any: must be/);
    expect(() => output.encode(text)).toThrow(
      new RangeError('kerf.sample.v1.AskOutput cannot say the value: lines.1.sku must be well-formed text'),
    );
  });

  it('may be nested too deep', () => {
    const node = z.object({
      get next() {
        return node.optional();
      },
    });
    const deep = (levels: number) => Array.from({ length: levels }).reduce<object>((next) => ({ next }), {});
    comesBack(codecOf(node), deep(90));
    expect(() => codecOf(node).encode(deep(200))).toThrow(/must not be nested so deep/);
  });
});
