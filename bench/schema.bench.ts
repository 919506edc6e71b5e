import { parseCompiled, parserOf } from '../src/shared/kernel/contract/index.ts';
import { type Contestant, compare } from './compare.ts';
import { input, price, sample } from './sample.ts';

const { input: question, output: answer } = sample.operations.price;
const misfit = { ...input, lines: [...input.lines, { sku: 'OIL', quantity: 0 }] };

const contestant = (name: string, parse: (value: unknown) => unknown, value: unknown): Contestant => ({
  name,
  async run(times) {
    for (let each = 0; each < times; each++) parse(value);
  },
});

const cases = [
  { what: 'an input', schema: question, value: input },
  { what: 'an output', schema: answer, value: await price(input as never) },
  { what: 'an input that does not fit', schema: question, value: misfit },
];
for (const { what, schema, value } of cases) {
  const orNothing = (parse: (value: unknown) => unknown) => (each: unknown) => {
    try {
      return parse(each);
    } catch {
      return undefined;
    }
  };
  const contestants = [
    contestant(
      'zod: parse',
      orNothing((each) => schema.parse(each)),
      value,
    ),
    contestant('zod: safeParse', (each) => schema.safeParse(each), value),
    contestant('compiled: parserOf', orNothing(parserOf(schema)), value),
    contestant('compiled: parseCompiled', (each) => parseCompiled(schema, each), value),
  ];
  const results = await compare({ title: `Parsing ${what} with its schema`, times: 100_000, contestants });
  console.log(`  ${results.map(({ name, perSecond }) => `${name} ${(1e6 / perSecond).toFixed(2)} µs`).join(', ')}`);
}
