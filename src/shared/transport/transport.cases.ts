import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../clock/index.ts';
import { type CallContext, currentContext, runInContext } from '../context/index.ts';
import { type Client, command, contract, query } from '../contract/index.ts';
import { openSqlite } from '../data/index.ts';
import { isRefusal } from '../errors/index.ts';
import { commandMigrations, Dispatcher } from '../module/index.ts';
import { silentLog } from '../observability/index.ts';
import { createCall, createClient } from './client.ts';
import { byDeadline } from './deadlines.ts';
import type { Dispatch, Serve, Transport } from './transport.ts';

const note = z.object({ text: z.string(), tags: z.array(z.string()).optional() });

export const sample = contract('sample', {
  operations: {
    echo: query({ about: 'Answers what it is sent', input: note, output: note }),
    count: command({ about: 'Counts how often it was done', input: z.object({}), output: z.object({ n: z.int() }) }),
    keep: command({ about: 'Keeps what it is sent', input: note, output: note }),
    strict: query({
      about: 'Takes no more than it says',
      input: z.strictObject({ n: z.int() }),
      output: z.object({ n: z.number() }),
    }),
    refuse: query({ about: 'Refuses with data', input: z.object({}), output: z.object({}) }),
    fail: query({ about: 'Fails with a secret', input: z.object({}), output: z.object({}) }),
    lie: query({ about: 'Answers what it does not say', input: z.object({}), output: z.object({ n: z.int() }) }),
    never: query({ about: 'Does not answer', input: z.object({}), output: z.object({}), timeoutMs: 100 }),
    when: query({ about: 'Answers when it is let', input: z.object({}), output: z.object({}) }),
    whoAsks: command({
      about: 'Tells its context',
      input: z.object({}),
      output: z.record(z.string(), z.string().nullable()),
    }),
  },
  errors: { 'too-late': { status: 409, title: 'Too late', data: z.object({ since: z.string() }) } },
});

/** Values the module was given, to look at from the test. */
const kept: { text: string; tags?: string[] }[] = [];
let letGo = () => {};
let gate = Promise.resolve();

let counted = 0;

const handlers = {
  count: async () => ({ n: ++counted }),
  echo: async (input: unknown) => input,
  keep: { inSteps: async (input: never) => kept[kept.push(input) - 1] },
  strict: async (input: unknown) => input,
  refuse: async () => {
    throw sample.refuse('too-late', 'it was over', { since: 'yesterday' });
  },
  fail: async () => {
    throw new Error('the secret is 1234');
  },
  lie: async () => ({ n: 'not a number' }),
  never: () => new Promise(() => {}),
  when: async () => {
    await gate;
    return {};
  },
  whoAsks: {
    inSteps: async () => {
      const { requestId, member, caller, idempotencyKey, traceparent } = currentContext()!;
      return {
        requestId,
        member: member ?? null,
        caller,
        idempotencyKey: idempotencyKey ?? null,
        traceparent: traceparent ?? null,
      };
    },
  },
};

const file = join(mkdtempSync(join(tmpdir(), 'kerf-transport-')), 'sample.db');
const database = openSqlite('sample', file, commandMigrations);
const steps = { read: database, work: database.work.bind(database) };
export const dispatch: Dispatch = new Dispatcher(sample, handlers as never, steps as never, systemClock, silentLog)
  .dispatch;

/** The callee's process: as the host serves what other processes call. */
export const serve: Serve = (module, name, input, context) =>
  byDeadline(dispatch(name, input, context), context, { module, name });

export interface OpenTransport {
  transport: Transport;
  close(): Promise<void>;
}

/** What every transport must do, whatever is between caller and callee. */
export function transportCases(name: string, open: () => Promise<OpenTransport>): void {
  describe(`a call by ${name}`, () => {
    let opened: OpenTransport;
    const clientOf = (caller: string): Client<typeof sample> =>
      createClient(sample, (operation) => createCall(operation, caller, () => opened.transport));
    const client = clientOf('other');
    beforeAll(async () => {
      gate = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      opened = await open();
    });
    afterAll(() => opened.close());

    it('brings values there and back, in any script', async () => {
      const text = 'kerf 톱 🪚 \u2028 "quoted" \\ é';
      expect(await client.echo({ text, tags: ['a', ''] })).toEqual({ text, tags: ['a', ''] });
    });

    it('shares no object between caller and callee', async () => {
      const tags = ['sent'];
      const answered = await client.keep({ text: 'mine', tags });
      tags.push('changed by the caller');
      answered.tags!.push('changed by the caller, too');
      const held = kept.at(-1)!;
      held.tags!.push('changed by the callee');
      expect([tags.length, answered.tags!.length, held.tags!.length]).toEqual([2, 2, 2]);
    });

    it('brings a declared refusal with its code, status, detail and data', async () => {
      const error = await client.refuse({}).catch((caught: unknown) => caught);
      expect(
        sample.refused(error, 'too-late') && { status: error.status, detail: error.message, data: error.data },
      ).toEqual({
        status: 409,
        detail: 'it was over',
        data: { since: 'yesterday' },
      });
    });

    it('tells nothing of the inside when the callee fails', async () => {
      for (const call of [client.fail, client.lie]) {
        const error = await call({}).catch((caught: unknown) => caught);
        expect(isRefusal(error, 'internal')).toBe(true);
        expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('1234');
      }
    });

    it('tells the module itself, and the gateway, what does not fit', async () => {
      const wrong = { n: 1.5, extra: true } as never;
      for (const caller of ['sample', 'gateway']) {
        const error = await clientOf(caller)
          .strict(wrong)
          .catch((caught: unknown) => caught);
        expect(isRefusal(error, 'invalid-input') && error.data.issues).toEqual([
          expect.objectContaining({ path: 'n' }),
          { path: 'extra', message: 'unknown field' },
        ]);
      }
    });

    it('calls it a fault of another module when what that sends does not fit', async () => {
      const error = await client.strict({ n: 'one' } as never).catch((caught: unknown) => caught);
      expect(isRefusal(error)).toBe(false);
      expect(String(error)).toContain('other sent sample.strict');
    });

    it('refuses what would not survive the way, instead of changing it', async () => {
      for (const text of [new Date(), undefined, Number.NaN, 10n, () => 'text']) {
        await expect(client.echo({ text } as never)).rejects.toThrow();
      }
    });

    it('gives up at the deadline of the operation, of the call, and of the caller', async () => {
      const caller: CallContext = { requestId: 'r', caller: 'gateway', deadline: Date.now() + 30 };
      const attempts = [
        client.never({}),
        client.when({}, { timeoutMs: 30 }),
        runInContext(caller, () => client.when({})),
        runInContext({ ...caller, deadline: Date.now() - 1 }, () => client.echo({ text: 'late' })),
      ];
      const errors = await Promise.all(attempts.map((attempt) => attempt.catch((caught: unknown) => caught)));
      expect(errors.map((error) => isRefusal(error, 'timeout'))).toEqual([true, true, true, true]);
    });

    it('brings the context', async () => {
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      const context = {
        requestId: 'request-7',
        member: 'member-7',
        caller: 'gateway',
        deadline: Date.now() + 5_000,
        traceparent,
      };
      const told = await runInContext(context, () => client.whoAsks({}));
      expect(told).toEqual({
        requestId: 'request-7',
        member: 'member-7',
        caller: 'other',
        idempotencyKey: null,
        traceparent,
      });
    });

    it('brings the key of a command, so that it is done once however often it comes', async () => {
      const [key, other] = [randomUUID(), randomUUID()];
      const first = await client.count({}, { idempotencyKey: key });
      expect(await client.count({}, { idempotencyKey: key })).toEqual(first);
      expect(await client.count({}, { idempotencyKey: other })).toEqual({ n: first.n + 1 });
      expect(await clientOf('another').count({}, { idempotencyKey: key })).toEqual({ n: first.n + 2 });
      expect(await client.count({})).toEqual({ n: first.n + 3 });
    });

    it('lets a quick answer pass a slow one', async () => {
      const slow = client.when({});
      expect(await client.echo({ text: 'quick' })).toEqual({ text: 'quick' });
      letGo();
      await slow;
    });

    it('serves a thousand calls at a time, each with its own answer', async () => {
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.strict({ n })));
      expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    });

    it('brings what is large', async () => {
      const text = '톱'.repeat(700_000);
      expect((await client.echo({ text })).text).toBe(text);
    });
  });
}
