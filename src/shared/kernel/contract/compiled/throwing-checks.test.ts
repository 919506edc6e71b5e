import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Issue, isRefusal } from '../../errors/index.ts';
import { inputParserOf, parseInput } from '../parse.ts';
import { text } from '../schemas.ts';
import { parseCompiled, parserOf } from './compiled.ts';
import { safeParse } from './throwing-checks.ts';

/** A length that cannot be compared, although JSON can contain it. */
const crafted = JSON.parse('{"length":{"toString":""}}');
const refusing = z.string().refine((value) => {
  if (value === 'throw') throw new Error('not this');
  return true;
});
const node = z.object({
  get next() {
    return node.optional();
  },
});
const deep = (levels: number) => Array.from({ length: levels }).reduce<object>((next) => ({ next }), {});
const clashing = z.intersection(z.object({ a: z.string().trim() }), z.object({ a: z.string() }));
const talkative = z.string({
  error: () => {
    throw new Error('no words');
  },
});

function issuesOf(run: () => unknown): Issue[] {
  try {
    run();
  } catch (error) {
    if (isRefusal(error, 'invalid-input')) return error.data.issues as Issue[];
    throw error;
  }
  return [];
}

describe('a value is invalid when a check throws', () => {
  const unchecked = (path: string) => [{ path, message: 'cannot be checked' }];
  it.each<[string, z.ZodType, unknown, Issue[]]>([
    ['text', z.object({ it: text(100, 1) }), { it: crafted }, [{ path: 'it', message: 'must be a text' }]],
    [
      'a list',
      z.object({ it: z.array(z.string()).max(3), n: z.int() }),
      { it: crafted, n: 'x' },
      [
        { path: 'it', message: 'must be a list' },
        { path: 'n', message: 'must be a number' },
      ],
    ],
    ['in a list', z.object({ all: z.array(refusing) }), { all: ['x', 'throw'] }, unchecked('all.1')],
    ['in a tuple', z.tuple([z.int(), refusing], refusing), [1, 'x', 'throw'], unchecked('2')],
    ['in a record', z.record(z.string(), refusing), { a: 'x', b: 'throw' }, unchecked('b')],
    ['in a union', z.object({ it: z.union([refusing, z.int()]).optional() }), { it: 'throw' }, unchecked('it')],
    ['in a catchall field', z.object({}).catchall(refusing), { more: 'throw' }, unchecked('more')],
    ['two halves that cannot be merged', z.object({ both: clashing }), { both: { a: ' x' } }, unchecked('both')],
    ['a message that throws', z.object({ it: talkative }), { it: 1 }, unchecked('it')],
    ['a value nested too deep', node, deep(50_000), [{ path: '', message: 'must not be nested so deep' }]],
    ['a symbol as a key', z.record(z.string(), z.int()), { [Symbol('s')]: 1 }, [expect.anything()]],
  ])('%s', (_, schema, value, issues) => {
    const parse = inputParserOf(schema);
    for (let use = 1; use <= 3; use++) expect(issuesOf(() => parse(value))).toEqual(issues);
    expect(issuesOf(() => parseInput(schema, value))).toEqual(issues);
  });

  it('in every use of a schema, with the thrown error as the cause', () => {
    for (let use = 1; use <= 3; use++) {
      expect(() => parserOf(refusing)('throw')).toThrow(z.ZodError);
      expect(parseCompiled(refusing, 'throw').success).toBe(false);
      expect(parseCompiled(talkative, 1).error).toMatchObject({ issues: [{ message: 'cannot be checked' }] });
    }
    expect(safeParse(refusing, 'throw').error).toMatchObject({ cause: { message: 'not this' } });
    expect(safeParse(refusing, 'x')).toEqual({ success: true, data: 'x' });
  });
});
