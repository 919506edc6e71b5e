import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { command, contract, money, query } from '../../../kernel/contract/index.ts';
import { protoOf, protoText } from './proto.ts';

const line = z.strictObject({ sku: z.string(), quantity: z.int().min(1), note: z.string().nullable() });

const shop = contract('corner-shop', {
  operations: {
    price: query({
      summary: 'Prices an order',
      input: z.strictObject({
        lines: z.array(line),
        gift: line.optional(),
        limit: z.int().default(20),
        weight: z.number(),
        '2nd choice': z.boolean(),
        snake_case: z.enum(['a', 'b']),
      }),
      output: z.array(money),
    }),
    tag: command({
      summary: 'Tags\nan order',
      input: z.object({
        tags: z.array(z.string()).optional(),
        matrix: z.array(z.array(z.number())),
        prices: z.record(z.string(), money),
        anything: z.union([z.string(), z.int()]),
        mixed: z.record(z.string(), z.union([z.string(), z.null()])),
        maybe: z.string().nullish(),
      }),
      output: z.strictObject({}),
    }),
  },
});

describe('the proto text', () => {
  it('is a proto3 file', () => {
    expect(protoText(shop)).toMatchInlineSnapshot(`
      "// Made from the contract of the module "corner-shop"; change that, not this.
      // Fields are numbered as the schema declares them: new fields go at the end of a schema, never between.
      syntax = "proto3";

      package kerf.corner_shop.v1;

      import "google/protobuf/struct.proto";

      service CornerShop {
        // Query: Prices an order
        rpc Price(PriceInput) returns (PriceOutput);

        // Command: Tags an order
        rpc Tag(TagInput) returns (TagOutput);
      }

      message PriceInput {
        repeated PriceInputLinesItem lines = 1;
        optional PriceInputLinesItem gift = 2;
        optional int64 limit = 3;
        double weight = 4;
        bool field_2nd_choice = 5 [json_name = "2nd choice"];
        string snake_case = 6 [json_name = "snake_case"];
      }

      message PriceInputLinesItem {
        string sku = 1;
        int64 quantity = 2;
        optional string note = 3;
      }

      message PriceOutput {
        repeated PriceOutputValueItem value = 1;
      }

      message PriceOutputValueItem {
        int64 amount = 1;
        string currency = 2;
      }

      message TagInput {
        optional TagInputTags tags = 1;
        repeated TagInputMatrixItem matrix = 2;
        map<string, PriceOutputValueItem> prices = 3;
        google.protobuf.Value anything = 4;
        map<string, google.protobuf.Value> mixed = 5;
        optional google.protobuf.Value maybe = 6;
      }

      message TagInputTags {
        repeated string items = 1;
      }

      message TagInputMatrixItem {
        repeated double items = 1;
      }

      message TagOutput {}
      "
    `);
  });
});

describe('the proto names', () => {
  it('equal the JSON names where possible, and otherwise declare a json_name', () => {
    const keys = ['aB', 'a_b', 'a-b', '_a', 'constructor', '톱', '"'];
    const input = z.object(Object.fromEntries(keys.map((key) => [key, z.string()])));
    const text = protoText(
      contract('sample', { operations: { ask: query({ summary: 'Asks', input, output: input }) } }),
    );
    expect(/message AskInput \{\n([^}]+)\}/.exec(text)?.[1]?.trimEnd().split('\n')).toEqual([
      '  string aB = 1;',
      '  string a_b_2 = 2 [json_name = "a_b"];',
      '  string a_b_3 = 3 [json_name = "a-b"];',
      '  string field_a = 4 [json_name = "_a"];',
      '  string constructor_ = 5;',
      '  string field_ = 6 [json_name = "톱"];',
      '  string field__2 = 7 [json_name = "\\042"];',
    ]);
  });

  it('of operations and messages are unique', () => {
    const ask = query({ summary: 'Asks', input: z.object({ input: z.object({}) }), output: z.object({}) });
    const twins = contract('sample', { operations: { ask, Ask: ask, askInput: ask } });
    const paths = [...protoOf(twins).operations.values()].map(({ path }) => path.split('/')[2]);
    expect(paths).toEqual(['Ask', 'Ask_2', 'AskInput']);
    expect(protoText(twins)).toContain('AskInputInput_2 input = 1;');
  });
});

describe('protoOf', () => {
  it('is created once', () => {
    expect(protoOf(shop)).toBe(protoOf(shop));
    expect(protoOf(shop).operations.get('price')?.path).toBe('/kerf.corner_shop.v1.CornerShop/Price');
  });
});
