import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInContext } from '../context/index.ts';
import type { Client } from '../contract/index.ts';
import { isRefusal, kernelCodes, type Refusal } from '../errors/index.ts';
import { fromTraceFields } from '../telemetry/index.ts';
import { cancellationCases, deadlineCases, type Ends, outcomeOf } from './cancellation.cases.ts';
import { createCall, createClient } from './client.ts';
import { InProcessTransport } from './in-process.ts';
import { callee, dispatch, sample } from './sample.cases.ts';
import type { Transport } from './transport.ts';
import { maximumBodyBytes } from './transport.ts';

export { dispatch, sample, serve } from './sample.cases.ts';

/** A transport under test, whose other end is `serve`. */
export interface OpenTransport {
  transport: Transport;
  /** The largest input or output in bytes of JSON, where it is not `maximumBodyBytes`. */
  limitBytes?: number;
  close(): Promise<void>;
}

/** Tests the duties of every transport. */
export function transportCases(name: string, open: () => Promise<OpenTransport>): void {
  describe(`a call by ${name}`, () => {
    let opened: OpenTransport;
    const clientOf = (caller: string): Client<typeof sample> =>
      createClient(sample, (operation) => createCall(operation, caller, () => opened.transport));
    const ends = { client: clientOf('other'), clientOf };
    beforeAll(async () => {
      opened = await open();
      callee.self = clientOf('sample');
    });
    afterAll(() => opened.close());

    valueCases(ends);
    errorCases(ends);
    contextCases(ends);
    deadlineCases(ends);
    cancellationCases(ends);
    onceCases(ends);
    crowdCases(ends);
    limitCases(ends, () => opened.limitBytes ?? maximumBodyBytes);
  });
}

function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => expect.fail(`it was answered: ${JSON.stringify(answer)}`),
    (error) => error,
  );
}

function valueCases({ client }: Ends): void {
  it('carries text of any script there and back', async () => {
    const text = 'kerf 톱 🪚 \u{10ffff} \u2028\u2029 "quoted" \\ é e\u0301 \n\r\t \u0000\u007f \ufeff';
    expect(await client.echo({ text, tags: ['a', ''] })).toEqual({ text, tags: ['a', ''] });
    expect(await client.echo({ text: '', tags: [] })).toEqual({ text: '', tags: [] });
  });

  it('carries values of every kind there and back, and omits absent fields', async () => {
    const sent = {
      texts: ['', '🪚'],
      whole: [0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1],
      numbers: [0, 0.1, -0.1, 1 / 3, 1e21, 5e-324, Number.MAX_VALUE],
      yes: false,
      maybe: null,
      byName: { '': 1, 톱: 0.1, 'a.b': -2, constructor: 3 },
      either: ['1', 1, { kind: 'a' as const }, { kind: 'b' as const }],
      lists: [[], [{ inner: { deep: [] } }, { inner: { deep: ['', 'x'] } }], [{}]],
    };
    const answered = await client.values(sent);
    expect(answered).toEqual(sent);
    expect(Object.keys(answered)).not.toContain('absent');
    const least = { texts: [], whole: [], numbers: [], yes: true, maybe: '', byName: {}, either: [], lists: [] };
    expect(await client.values(least)).toEqual(least);
  });

  it('carries undefined as an input and as an answer', async () => {
    expect(await client.find(undefined)).toBe(undefined);
    expect(await client.find('')).toBe('');
  });

  it('shares no object between caller and callee', async () => {
    const tags = ['sent'];
    const answered = await client.keep({ text: 'mine', tags });
    tags.push('changed by the caller');
    answered.tags!.push('changed by the caller, too');
    const held = callee.kept.at(-1)!;
    held.tags!.push('changed by the callee');
    expect([tags.length, answered.tags!.length, held.tags!.length]).toEqual([2, 2, 2]);
  });

  it('refuses values that JSON would change', async () => {
    for (const text of [new Date(), undefined, Number.NaN, 10n, () => 'text']) {
      await expect(client.echo({ text } as never)).rejects.toThrow();
    }
    for (const whole of [0.5, 2 ** 53, Number.POSITIVE_INFINITY, '1']) {
      await expect(client.strict({ n: whole } as never)).rejects.toThrow();
    }
  });
}

function errorCases({ client, clientOf }: Ends): void {
  it('carries a declared refusal with its code, status, title, detail and data', async () => {
    const error = await failureOf(client.refuse({}));
    expect(sample.refused(error, 'too-late') && { ...error, detail: error.message }).toEqual({
      name: 'Refusal',
      code: 'too-late',
      status: 409,
      title: 'Too late',
      detail: 'it was over',
      data: { since: 'yesterday' },
    });
    const plain = await failureOf(client.refuseAs({ code: 'plain' }));
    expect(sample.refused(plain, 'plain') && [plain.status, plain.message, plain.data]).toEqual([418, 'Just no', {}]);
  });

  it('carries a declared refusal with large data', async () => {
    const { data } = (await failureOf(client.refuseWith({ letters: 200_000 }))) as Refusal;
    expect(data).toEqual({ since: 'x'.repeat(200_000) });
  });

  it('carries a refusal of the kernel unchanged', async () => {
    // These two change on the way: a callee's own bad input is internal, and its overload may come after a begun call.
    const codes = Object.keys(kernelCodes).filter((code) => code !== 'invalid-input' && code !== 'overloaded');
    const errors = await Promise.all(codes.map((code) => failureOf(client.refuseAs({ code })) as Promise<Refusal>));
    expect(errors.map(({ code }) => code)).toEqual(codes);
    expect(errors.map(({ message, data }) => [message, data])).toEqual(
      codes.map(() => ['by its own words', { seen: [1, 2] }]),
    );
  });

  it('hides internal details when the callee fails, or refuses with an undeclared code', async () => {
    for (const call of [client.fail({}), client.lie({}), client.refuseAs({ code: 'undeclared' })]) {
      const error = await failureOf(call);
      expect(isRefusal(error, 'internal')).toBe(true);
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toMatch(/1234|not a number|own words/);
    }
  });

  it('shows validation issues to the module itself and to the gateway', async () => {
    const wrong = { n: 1.5, extra: true } as never;
    for (const caller of ['sample', 'gateway']) {
      const error = await failureOf(clientOf(caller).strict(wrong));
      expect(isRefusal(error, 'invalid-input') && error.data.issues).toEqual([
        expect.objectContaining({ path: 'n' }),
        { path: 'extra', message: 'unknown field' },
      ]);
    }
  });

  it('reports invalid input of another module as an error of that module', async () => {
    const error = await failureOf(client.strict({ n: 'one' } as never));
    expect(isRefusal(error)).toBe(false);
    expect(String(error)).toContain('other called sample.strict');
  });
}

function contextCases({ client }: Ends): void {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const fields = { traceparent, tracestate: 'vendor=kept', baggage: 'tenant=blue%20sky' };
  const given = { requestId: 'request-7', caller: 'gateway', trace: fromTraceFields(fields)! };
  const principal = { member: 'member-7', roles: ['editor', 'clerk'] };
  const context = () => ({ ...given, ...principal, deadline: Date.now() + 5_000 });
  const arrives = {
    ...{ requestId: 'request-7', member: 'member-7', roles: 'editor clerk', caller: 'other', idempotencyKey: null },
    ...fields,
  };

  it('carries the context', async () => {
    expect(await runInContext(context(), () => client.whoAsks({}))).toEqual(arrives);
    const told = await client.whoAsks({}, { idempotencyKey: 'once' });
    expect(told).toEqual({
      ...arrives,
      requestId: expect.any(String),
      ...{ member: null, roles: null },
      ...{ traceparent: null, tracestate: null, baggage: null },
      idempotencyKey: 'once',
    });
  });

  it('carries the member of each call among parallel calls', async () => {
    const members = Array.from({ length: 20 }, (_, n) => (n % 3 ? `member-${n}` : undefined));
    const ask = (member: string | undefined) => runInContext({ ...context(), member }, () => client.whoAsks({}));
    const told = await Promise.all(members.map(ask));
    expect(told.map(({ member }) => member)).toEqual(members.map((member) => member ?? null));
  });

  it('carries the roles of a call without a member, as those of an API key', async () => {
    const key = { ...context(), member: undefined, roles: ['editor'] };
    for (const ask of [() => client.whoAsks({}), () => client.whoAsksNext({})])
      expect(await runInContext(key, ask)).toMatchObject({ member: null, roles: 'editor' });
  });

  it('mixes the roles of no two calls among parallel calls of one member', async () => {
    const each = Array.from({ length: 20 }, (_, n) => (n % 3 ? [`role-${n % 5}`] : undefined));
    const ask = (roles: string[] | undefined) => runInContext({ ...context(), roles }, () => client.whoAsks({}));
    const told = await Promise.all(each.map(ask));
    expect(told.map(({ roles }) => roles)).toEqual(each.map((roles) => roles?.join(' ') ?? null));
  });

  it('passes the context on to child calls', async () => {
    expect(await runInContext(context(), () => client.whoAsksNext({}))).toEqual({ ...arrives, caller: 'sample' });
  });
}

function onceCases({ client, clientOf }: Ends): void {
  it('carries the idempotency key, so that a repeated command takes effect once', async () => {
    const [key, other] = [randomUUID(), randomUUID()];
    const first = await client.count({}, { idempotencyKey: key });
    expect(await client.count({}, { idempotencyKey: key })).toEqual(first);
    expect(await client.count({}, { idempotencyKey: other })).toEqual({ n: first.n + 1 });
    expect(await clientOf('another').count({}, { idempotencyKey: key })).toEqual({ n: first.n + 2 });
    expect(await client.count({})).toEqual({ n: first.n + 3 });
  });

  describe('of a repeated command', () => {
    const client = clientOf('gateway');
    const booking = {
      labels: { B: '1', a: '2' },
      guest: { name: ' Ann ' },
      rooms: [{ beds: 1 }, { beds: 1.5, note: null }],
    };
    const again = {
      remark: undefined,
      rooms: [
        { note: undefined, beds: 1.0 },
        { note: null, beds: 1.5 },
      ],
      guest: { seat: undefined, name: ' Ann ', unknown: 'dropped' },
      labels: { a: '2', B: '1' },
    };
    const changed = [
      { ...booking, remark: 'x' },
      { ...booking, guest: { name: 'Bob' } },
      { ...booking, guest: { name: ' Ann ', seat: 7 } },
      { ...booking, rooms: booking.rooms.toReversed() },
      { ...booking, labels: { a: '1', B: '2' } },
      { ...booking, at: '2026-01-01T00:00:00Z' },
    ];

    it('recognizes the same input, whatever the order of its fields and the changes by parsing', async () => {
      const idempotencyKey = randomUUID();
      const first = await client.book(booking, { idempotencyKey });
      expect(await client.book(again, { idempotencyKey })).toEqual(first);
      for (const input of changed)
        expect(await outcomeOf(client.book(input, { idempotencyKey }))).toBe('invalid-input');
      expect((await client.book(again)).n).toBeGreaterThan(first.n);
    });

    it('recognizes the same input that came over another transport before', async () => {
      const inProcess = new InProcessTransport(dispatch, 'fast');
      const other = createClient(sample, (operation) => createCall(operation, 'gateway', () => inProcess));
      for (const [one, next] of [
        [other, client],
        [client, other],
      ] as const) {
        const idempotencyKey = randomUUID();
        const first = await one.book(booking, { idempotencyKey });
        expect(await next.book(again, { idempotencyKey })).toEqual(first);
        expect(await outcomeOf(next.book(changed[0]!, { idempotencyKey }))).toBe('invalid-input');
      }
    });
  });

  it('runs a command without an answer once, in a unit of work and in steps', async () => {
    const [idempotencyKey, before] = [randomUUID(), callee.cleared];
    for (let time = 1; time <= 3; time++) {
      expect(await client.clear({}, { idempotencyKey })).toBe(undefined);
      expect(await client.clearSlowly(undefined, { idempotencyKey })).toBe(undefined);
    }
    expect(callee.cleared).toBe(before + 2);
  });

  for (const name of ['add', 'addSlowly'] as const) {
    it(`runs a command ${name === 'add' ? 'in a unit of work' : 'in steps'} once for two concurrent calls`, async () => {
      const [add, key, { times }] = [clientOf('gateway')[name], randomUUID(), callee.added];
      callee.gate.shut();
      const twice = [add({ n: 7 }, { idempotencyKey: key }), add({ n: 7 }, { idempotencyKey: key })];
      const another = outcomeOf(add({ n: 8 }, { idempotencyKey: key }));
      if (name === 'addSlowly') expect(await another).toBe('invalid-input');
      callee.gate.open();
      const [first, second] = await Promise.all(twice);
      expect([second, await another, callee.added.times]).toEqual([first, 'invalid-input', times + 1]);
      expect(await outcomeOf(add({ n: 8 }, { idempotencyKey: key }))).toBe('invalid-input');
    });
  }
}

function crowdCases({ client }: Ends): void {
  it('does not block a quick answer by a slow one', async () => {
    callee.gate.shut();
    const slow = client.when({});
    expect(await client.echo({ text: 'quick' })).toEqual({ text: 'quick' });
    callee.gate.open();
    await slow;
  });

  it('serves a thousand concurrent calls, each with its own answer', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.strict({ n })));
    expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  it('carries large and small values in parallel', async () => {
    const text = '톱'.repeat(250_000);
    const [large, ...small] = await Promise.all(
      [text, ...Array(20).fill('small')].map((each) => client.echo({ text: each })),
    );
    expect([large!.text === text, small.every((each) => each.text === 'small')]).toEqual([true, true]);
  });
}

/** Size of a note in JSON without its letters. */
const around = JSON.stringify({ text: '' }).length;
/** A transport may accept or refuse a size between the limit and the limit plus this. */
const overBytes = 64 * 1024;

function limitCases({ client }: Ends, limitOf: () => number): void {
  it('carries an input and an answer of the maximum size', async () => {
    const letters = Math.min(limitOf(), maximumBodyBytes) - around;
    expect((await client.echo({ text: 'x'.repeat(letters) })).text.length).toBe(letters);
    const wide = Math.floor(letters / 3);
    expect((await client.echo({ text: '톱'.repeat(wide) })).text.length).toBe(wide);
  });

  it('says whether the input or the answer is too large, and accepts the next call', async ({ skip }) => {
    const over = limitOf() + overBytes;
    skip(over === Number.POSITIVE_INFINITY, 'there is no limit');
    expect(await outcomeOf(client.echo({ text: 'x'.repeat(over) }))).toBe('body-too-large');
    expect(await outcomeOf(client.echo({ text: '톱'.repeat(over / 3) }))).toBe('body-too-large');
    expect(await outcomeOf(client.grow({ letters: over }))).toBe('body-too-large');
    expect(await client.echo({ text: 'after' })).toEqual({ text: 'after' });
  });
}
