import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contract, event, query } from './contract.ts';
import { text } from './schemas.ts';

const withInput = (input: z.ZodType) => () =>
  contract('sample', { operations: { ask: query({ summary: 'Asks', input, output: z.object({}) }) } });

describe('a contract', () => {
  it('refuses schemas whose values do not survive a wire, and names the place', () => {
    const unsafe = {
      date: z.object({ when: z.date() }),
      map: z.object({ deep: z.array(z.map(z.string(), z.string())) }),
      any: z.object({ whatever: z.any() }),
      transform: z.object({ n: z.string().transform(Number) }),
      bigint: z.object({ n: z.bigint().optional() }),
    };
    for (const schema of Object.values(unsafe))
      expect(withInput(schema)).toThrow(/^sample\.ask input\.\w+.* do not survive a wire/);
  });

  it('accepts every shape of plain JSON', () => {
    const plain = z.object({
      s: z.string().min(1).regex(/x/),
      n: z.int().min(0).nullable(),
      u: z.union([z.literal('a'), z.boolean()]),
      r: z.record(z.string(), z.array(z.tuple([z.number(), z.enum(['b'])]))),
      d: z.number().default(3),
    });
    expect(withInput(plain)).not.toThrow();
  });

  it('refuses to redefine a code of the kernel', () => {
    expect(() => contract('sample', { operations: {}, errors: { timeout: { status: 400, title: 'Mine' } } })).toThrow(
      /"timeout", which belongs to the kernel/,
    );
  });

  it('refuses errors whose data would not survive a wire, or would hide a field of the problem', () => {
    const withData = (data: z.ZodObject) => () =>
      contract('sample', { operations: {}, errors: { late: { status: 409, title: 'Late', data } } });
    expect(withData(z.object({ since: z.date() }))).toThrow(/late.*since.*do not survive a wire/);
    expect(withData(z.object({ status: z.string() }))).toThrow(/has a field "status"/);
  });

  it('gives an event a type that does not depend on names in code', () => {
    const made = contract('orders', {
      operations: {},
      events: { anyName: event('order-placed', 2, 'orderId', z.object({ orderId: z.string() })) },
    });
    expect(made.events.anyName.type).toBe('orders.order-placed.v2');
  });
});

describe('text', () => {
  it('accepts any script and line breaks, but no control characters or lone surrogates', () => {
    const schema = text(20);
    for (const good of ['톱질', '🪚', 'two\nlines\tand tab', '']) expect(schema.safeParse(good).success).toBe(true);
    for (const bad of ['nul\0', 'bell\u0007', 'half \ud800', 'x'.repeat(21)])
      expect(schema.safeParse(bad).success).toBe(false);
  });
});
