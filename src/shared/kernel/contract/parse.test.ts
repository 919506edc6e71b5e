import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Issue, isRefusal } from '../errors/index.ts';
import { inputParserOf } from './parse.ts';
import { id, instant, money, pageRequest, text } from './schemas.ts';

const schema = z.strictObject({
  id: id.optional(),
  name: text(3, 1).default('ann'),
  at: instant.optional(),
  email: z.email().optional(),
  page: pageRequest.optional(),
  price: money.optional(),
  lines: z
    .array(z.object({ sku: z.string() }))
    .min(1)
    .max(2)
    .default([{ sku: 'WAX' }]),
  by: z.enum(['mail', 'sms']).optional(),
  on: z.boolean().optional(),
  share: z.number().gt(0).lt(1).optional(),
  either: z.union([z.string(), z.number()]).optional(),
});
const parse = inputParserOf(schema);

/** Returns `path: message` of every validation issue of an input. */
function said(input: unknown): string[] {
  try {
    parse(input);
    return [];
  } catch (error) {
    if (!isRefusal(error, 'invalid-input')) throw error;
    const { issues } = error.data as { issues: Issue[] };
    return issues.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe('an invalid input', () => {
  it.each<[unknown, string]>([
    [7, ': must be an object: names, each with a value'],
    [{ id: 'seven' }, 'id: must be an id, such as 01a20574-e281-7377-abb7-f6344bd30f2d'],
    [{ name: '' }, 'name: must be at least 1 character long'],
    [{ name: 'anna' }, 'name: must be at most 3 characters long'],
    [{ name: 'a\u0000' }, 'name: must be well-formed, without control characters'],
    [{ name: null }, 'name: must be a text'],
    [{ name: [] }, 'name: must be a text'],
    [{ email: 7 }, 'email: must be a text'],
    [{ at: 'now' }, 'at: must be a time in UTC, such as 2026-11-22T22:51:15.969Z'],
    [{ email: 'ann' }, 'email: must be an e-mail address, such as ann@example.com'],
    [{ page: { limit: 0 } }, 'page.limit: must be at least 1'],
    [{ page: { limit: Number.NaN } }, 'page.limit: must be a number'],
    [{ page: { limit: 1.5 } }, 'page.limit: must be a whole number'],
    [{ price: { amount: 1 } }, 'price.currency: is missing'],
    [{ price: { amount: 1, currency: 'won' } }, 'price.currency: must be an ISO 4217 code such as KRW'],
    [{ lines: {} }, 'lines: must be a list'],
    [{ lines: [] }, 'lines: must be at least 1 entry long'],
    [{ lines: [{ sku: 'A' }, {}] }, 'lines.1.sku: is missing'],
    [{ by: 'post' }, 'by: must be mail or sms'],
    [{ on: 'yes' }, 'on: must be true or false'],
    [{ share: 1 }, 'share: must be less than 1'],
    [{ either: [] }, 'either: is none of what it may be'],
    [{ nmae: 'ann' }, 'nmae: unknown field'],
  ])('is refused in plain words: %j', (input, mismatch) => {
    expect(said(input)).toEqual([mismatch]);
    // From its second use on, the compiled schema parses the input.
    expect(said(input)).toEqual([mismatch]);
  });

  it('gets every validation issue, up to twenty', () => {
    expect(said({ name: 7, on: 7 })).toEqual(['name: must be a text', 'on: must be true or false']);
    expect(said(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`field${n}`, n])))).toHaveLength(20);
  });
});
