import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { money } from '../schemas.ts';
import { parseCompiled, parserOf } from './compiled.ts';
import { nasties } from './nasties.cases.ts';
import { expectSame } from './same.cases.ts';
import { schemas } from './schemas.cases.ts';
import { junk, spoiled, valuesOf } from './values.cases.ts';

describe('a compiled schema gives the same result as Zod', () => {
  it.each(nasties)('for %s', (_, schema, values) => {
    for (const value of values) expectSame(schema, value);
  });

  it('for any schema and any value', () => {
    const valuesFor = (schema: z.ZodType) =>
      fc.oneof(
        { weight: 3, arbitrary: valuesOf(schema) },
        { weight: 2, arbitrary: valuesOf(schema).chain(spoiled) },
        junk,
      );
    const all = schemas.chain((schema) =>
      fc.tuple(fc.constant(schema), fc.array(valuesFor(schema), { minLength: 2, maxLength: 6 })),
    );
    fc.assert(
      fc.property(all, ([schema, values]) => {
        for (const value of values) expectSame(schema, value);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a schema is compiled', () => {
  const fits = { amount: 1, currency: 'KRW' };

  it('on its second use, of any kind', () => {
    const schema = money.clone();
    const asked = vi.spyOn(schema, 'parse').mockImplementation((value) => money.parse(value));
    const parse = parserOf(schema);
    parse(fits);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(parseCompiled(schema, fits)).toEqual({ success: true, data: fits });
    parse(fits);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(() => parse({})).toThrow(z.ZodError);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('never when it has an unsupported part', () => {
    const schema = z.object({ at: z.string().transform(Number) });
    const asked = vi.spyOn(schema, 'parse');
    for (let use = 1; use <= 3; use++) expect(parserOf(schema)({ at: '7' })).toEqual({ at: 7 });
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it('never, without a warning, in a process that forbids code from strings', () => {
    const script = `
      import { parseCompiled, parserOf } from './compiled.ts';
      import { money } from '../schemas.ts';
      const fits = ${JSON.stringify(fits)};
      let code = 'allowed';
      try { new Function('') } catch { code = 'refused' }
      const uses = [1, 2, 3].map(() => [parserOf(money)(fits), parseCompiled(money, {}).success]);
      console.log(JSON.stringify({ code, uses }));`;
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--no-warnings', '-e', script];
    const said = execFileSync(process.execPath, flags, {
      cwd: 'src/shared/kernel/contract/compiled',
      encoding: 'utf8',
    });
    expect(JSON.parse(said)).toEqual({ code: 'refused', uses: [1, 2, 3].map(() => [fits, false]) });
  });
});
