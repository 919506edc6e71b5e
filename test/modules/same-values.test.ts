import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/shared/clock/index.ts';
import { schemas } from '../../src/shared/contract/compiled/schemas.cases.ts';
import { spoiled, valuesOf } from '../../src/shared/contract/compiled/values.cases.ts';
import { type Contract, contract, type Operation, query } from '../../src/shared/contract/index.ts';
import { Dispatcher } from '../../src/shared/module/index.ts';
import { silentLog } from '../../src/shared/observability/index.ts';
import { createCall } from '../../src/shared/transport/client.ts';
import { byDeadline } from '../../src/shared/transport/deadlines.ts';
import { openScene } from '../../src/shared/transport/grpc/grpc.cases.ts';
import { openCallee } from '../../src/shared/transport/http/http.cases.ts';
import { InProcessTransport } from '../../src/shared/transport/in-process.ts';
import type { Serve, Transport } from '../../src/shared/transport/transport.ts';

interface Sent {
  readonly schema: z.ZodType;
  readonly values: readonly unknown[];
}

const unsafe = fc.constantFrom<z.ZodType[]>(
  ...[
    z.literal(1n as never),
    z.literal(Number.NaN),
    z.literal(undefined as never),
    z.enum({ a: Number.POSITIVE_INFINITY }),
  ],
  ...[z.string().min(1).trim(), z.string().overwrite((text) => `${text}!`), z.string().toUpperCase().toLowerCase()],
  ...[z.string().trim().normalize('NFKC'), z.record(z.number(), z.int()), z.int().default(0.5), z.unknown(), z.date()],
);
const wrapped = fc
  .tuple(unsafe, schemas)
  .chain(([bad, good]) =>
    fc.constantFrom<z.ZodType[]>(z.object({ bad: bad.optional(), good }), z.union([good, bad]), z.array(bad)),
  );

function isAccepted(schema: z.ZodType): boolean {
  try {
    return contractOf([schema]) !== undefined;
  } catch (error) {
    if (/do not survive a wire/.test(String(error))) return false;
    throw error;
  }
}

function contractOf(of: readonly z.ZodType[]): Contract {
  const echo = (schema: z.ZodType) =>
    query({ about: 'Answers what it is sent', input: schema, output: schema, timeoutMs: 60_000 });
  return contract('echo', {
    operations: Object.fromEntries(of.map((schema, at) => [`of${at}`, echo(schema)])),
  }) as never;
}

const sent: fc.Arbitrary<Sent> = fc
  .oneof({ weight: 4, arbitrary: schemas.filter(isAccepted) }, schemas, wrapped)
  .chain((schema): fc.Arbitrary<Sent> => {
    if (!isAccepted(schema)) return fc.constant({ schema, values: [] });
    const values = fc.oneof({ weight: 3, arbitrary: valuesOf(schema) }, valuesOf(schema).chain(spoiled));
    return fc.record({ schema: fc.constant(schema), values: fc.array(values, { minLength: 2, maxLength: 5 }) });
  });

/**
 * Leaves out the differences that in-process.test.ts and grpc/values.test.ts pin: undefined in a field, which a check may count,
 * and minus zero.
 */
function canonical(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, canonical(member)]));
}

/** Pinned as well: gRPC has no word for half a surrogate pair. */
const isWellFormed = (value: unknown) => !JSON.stringify(value ?? null).includes('\\ud');

async function opened(of: Contract) {
  const handlers = Object.fromEntries(
    Object.keys(of.operations).map((name) => [name, async (input: unknown) => input]),
  );
  const { dispatch } = new Dispatcher(of, handlers as never, {} as never, systemClock, silentLog);
  const serve: Serve = (module, name, input, context) =>
    byDeadline(dispatch(name, input, context), context, { module, name });
  const [http, grpc] = [await openCallee({ serve }), await openScene({ serve, contract: of })];
  const transports: Transport[] = [
    new InProcessTransport(dispatch, 'fast'),
    new InProcessTransport(dispatch, 'strict'),
    http.link({ module: of.name }),
    grpc.link(),
  ];
  return { transports, close: () => Promise.all([http.close(), grpc.close()]) };
}

async function answersTo(operation: Operation, value: unknown, transports: readonly Transport[]): Promise<unknown[]> {
  const calls = transports.map((transport) => createCall(operation, 'gateway', () => transport)(value));
  const settled = await Promise.allSettled(calls);
  return settled.map((each) =>
    each.status === 'fulfilled' ? canonical(each.value) : String((each.reason as { code?: string }).code),
  );
}

it('a value of a schema that a contract takes is the same by every transport', async () => {
  let [accepted, fitting] = [0, 0];
  const check = async (all: readonly Sent[]) => {
    const taken = all.filter(({ values }) => values.length > 0);
    accepted += taken.length;
    const of = contractOf(taken.map(({ schema }) => schema));
    const { transports, close } = await opened(of);
    try {
      for (const [at, { schema, values }] of taken.entries()) {
        for (const value of values) {
          const { success, data } = schema.safeParse(value);
          if (success && !(isWellFormed(data) && schema.safeParse(canonical(data)).success)) continue;
          if (success) fitting += 1;
          const answers = await answersTo(of.operations[`of${at}`] as Operation, value, transports);
          expect(answers).toEqual(transports.map(() => (success ? canonical(data) : 'invalid-input')));
        }
      }
    } finally {
      await close();
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(sent, { minLength: 8, maxLength: 8 }), check), {
    numRuns: 8,
  });
  expect(accepted).toBeGreaterThan(20);
  expect(fitting).toBeGreaterThan(40);
});
