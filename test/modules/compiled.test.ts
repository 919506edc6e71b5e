import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { expectSame } from '../../src/shared/kernel/contract/compiled/same.cases.ts';
import { spoiled, valuesOf } from '../../src/shared/kernel/contract/compiled/values.cases.ts';
import { type Contract, parserOf } from '../../src/shared/kernel/contract/index.ts';
import { contracts } from '../harness/contracts.ts';

function schemasOf({ name, operations, events, errors }: Contract): [string, z.ZodType][] {
  return [
    ...Object.entries(operations).map(([key, { input }]): [string, z.ZodType] => [`${name}.${key} input`, input]),
    ...Object.entries(operations).map(([key, { output }]): [string, z.ZodType] => [`${name}.${key} output`, output]),
    ...Object.values(events).map(({ type, data }): [string, z.ZodType] => [type, data]),
    ...Object.entries(errors).flatMap(([code, { data }]): [string, z.ZodType][] => (data ? [[code, data]] : [])),
  ];
}

describe('every schema of every contract', () => {
  it.each(contracts.flatMap(schemasOf))('%s is compiled, and gives the same results as Zod', (_, schema) => {
    const twin = schema.clone();
    const asked = vi.spyOn(twin, 'parse');
    const parse = parserOf(twin);
    const fitting = fc
      .sample(valuesOf(schema), { numRuns: 5, seed: 1 })
      .filter((value) => schema.safeParse(value).success);
    expect(fitting).not.toEqual([]);
    parse(fitting[0]);
    asked.mockClear();
    for (const value of fitting) expect(parse(value)).toEqual(schema.parse(value));
    expect(asked).not.toHaveBeenCalled();
    const values = [...fitting, ...fc.sample(valuesOf(schema).chain(spoiled), { numRuns: 5, seed: 1 })];
    for (const value of values) expectSame(schema, value);
  });
});
