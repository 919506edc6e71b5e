import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { ManualClock, newId } from '../context/index.ts';
import { command, contract, event, id, query } from '../contract/index.ts';
import { defineTables, insertInto, rowBy } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import type { ModuleUnit } from '../module/index.ts';
import { defineModule, handle, inSteps, on } from '../module/index.ts';
import { type Saga, step } from '../saga/index.ts';
import { testModule } from './index.ts';

const bank = contract('bank', {
  operations: {
    pay: command({
      summary: 'Pays',
      input: z.strictObject({ amount: z.int() }),
      output: z.object({ state: z.enum(['paid', 'open']) }),
    }),
    balance: query({ summary: 'Balance', input: z.strictObject({}), output: z.object({ amount: z.int() }) }),
  },
  events: { closed: event('closed', 1, 'day', z.object({ day: z.string() })) },
  errors: { declined: { status: 402, title: 'Declined' } },
});

const shop = contract('shop', {
  operations: {
    buy: command({
      summary: 'Buys',
      input: z.strictObject({ id, amount: z.int() }),
      output: z.object({ state: z.string() }),
    }),
    order: command({ summary: 'Buys by a saga', input: z.strictObject({ id }), output: z.object({}) }),
    when: query({
      summary: 'Has the name of a tool',
      input: z.strictObject({}),
      output: z.object({ caller: z.string() }),
    }),
    note: query({
      summary: 'A note',
      input: z.strictObject({ id: z.string() }),
      output: z.object({ text: z.string().nullable() }),
    }),
  },
  events: { bought: event('bought', 1, 'id', z.object({ id, state: z.string() })) },
  errors: { 'sold-out': { status: 409, title: 'Sold out' } },
});

const tables = defineTables(({ table, text }) => ({
  notes: table('notes', { id: text('id').primaryKey(), text: text('text').notNull() }),
}));
const addNote = insertInto((unit) => tables(unit).notes);
const noteById = rowBy((reader) => tables(reader).notes, 'id');

const data = z.object({ id });
const buying: Saga<z.output<typeof data>, ModuleUnit> = {
  ...{ name: 'buying', version: 1, data },
  steps: [
    step<{ id: string }, ModuleUnit>('pay').call(bank.operations.pay, () => ({ amount: 1 })),
    step<{ id: string }, ModuleUnit>('tell').write((unit, { id }) =>
      unit.publish(shop.events.bought, { id, state: 'paid' }),
    ),
  ],
};

const about = { name: 'shop', owner: 'nobody', about: 'A shop.', uses: ['bank'], listensTo: ['bank'] };
const shopModule = defineModule({
  contract: shop,
  about,
  uses: { bank },
  settings: z.object({ GREETING: z.string().default('hello') }),
  migrations: [
    { name: '0001', phase: 'expand', sqlite: 'CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL)' },
  ],
  subscriptions: [
    on(bank.events.closed, async ({ day }, unit) => {
      if (day === 'Sunday') throw new Error('no shop closes on a Sunday');
      await addNote(unit, { id: day, text: 'closed' });
    }),
  ],
  open(container) {
    const { pay } = container.client(bank);
    const { GREETING } = container.settings;
    return {
      operations: {
        buy: inSteps(shop.operations.buy, async ({ id, amount }, { work }) => {
          const { state } = await pay({ amount }, { idempotencyKey: id }).catch((error) => {
            if (bank.refused(error, 'declined')) return { state: 'declined' };
            throw error;
          });
          await work((unit) => unit.publish(shop.events.bought, { id, state }));
          return { state };
        }),
        order: handle(shop.operations.order, async ({ id }, unit) => {
          await unit.begin(buying, id, { id });
          return {};
        }),
        when: handle(shop.operations.when, async () => ({ caller: GREETING })),
        note: handle(shop.operations.note, async ({ id }, reader) => {
          if (id === 'torn') throw new Error('the note is torn');
          return { text: (await noteById(reader, id))?.text ?? null };
        }),
      },
      sagas: [buying],
      timers: [
        { name: 'often', everyMs: 1_000, run: (unit) => count(unit, 'often') },
        { name: 'nightly', cron: '30 2 * * *', run: (unit) => count(unit, 'nightly') },
      ],
      seed: (unit) => addNote(unit, { id: 'seed', text: 'sown' }),
    };
  },
});

const runs: string[] = [];
async function count({ clock }: ModuleUnit, name: string): Promise<undefined> {
  runs.push(`${name} ${new Date(clock.now()).toISOString().slice(11, 16)}`);
}

const paid = { bank: { pay: () => ({ state: 'paid' as const }) } };
const purchase = () => ({ id: newId(), amount: 1 });

describe('a module under test', () => {
  it('is called by its contract, with a key, as another module where the test says so', async () => {
    const seen: unknown[] = [];
    const { buy } = await testModule(shopModule, {
      stubs: {
        bank: {
          pay(input, { caller, member, idempotencyKey }) {
            seen.push([input, caller, member, idempotencyKey]);
            return { state: 'paid' };
          },
        },
      },
    });
    const [member, wish] = [newId(), purchase()];
    const answers = [];
    for (const _ of [1, 2]) answers.push(await buy(wish, { member, idempotencyKey: 'one' }));
    expect(answers).toEqual([{ state: 'paid' }, { state: 'paid' }]);
    expect(seen).toEqual([[{ amount: 1 }, 'shop', member, wish.id]]);
    const wrong = { ...wish, amount: 1.5 };
    await expect(buy(wrong)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('shows the events that it has published, and nothing of its seed', async () => {
    const { buy, published, events, note } = await testModule(shopModule, { stubs: paid });
    const { id, amount } = purchase();
    await buy({ id, amount });
    expect(published(events.bought)).toEqual([{ id, state: 'paid' }]);
    expect(await note({ id: 'seed' })).toEqual({ text: 'sown' });
  });

  it('takes an event through its inbox, once for an id', async () => {
    const { when, note } = await testModule(shopModule);
    await when(bank.events.closed, { day: 'Monday' }, { id: 'one' });
    await when(bank.events.closed, { day: 'Monday' }, { id: 'one' });
    expect(await note({ id: 'Monday' })).toEqual({ text: 'closed' });
  });

  it('fails the test at an event that its handler fails on, that is invalid, or that it does not take', async () => {
    const { when } = await testModule(shopModule);
    await expect(when(bank.events.closed, { day: 'Sunday' })).rejects.toThrow('no shop closes on a Sunday');
    const invalid = when(bank.events.closed, { day: 1 as never });
    await expect(invalid).rejects.toThrow('the data of bank.closed.v1 is invalid: day: must be');
    await expect(when(shop.events.bought, { id: newId(), state: '' })).rejects.toThrow(
      'shop does not subscribe to shop.bought.v1; it subscribes to bank.closed.v1',
    );
  });

  it('runs each timer that becomes due, once, by the clock of the test', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1, 2));
    const { advance } = await testModule(shopModule, { clock });
    runs.length = 0;
    await advance(1_000);
    await advance(10 * 60_000);
    await advance(24 * 60 * 60_000);
    expect(runs).toEqual(['often 02:00', 'often 02:10', 'often 02:10', 'nightly 02:10']);
  });

  it('goes on with a saga when its time has come', async () => {
    let away = true;
    const pay = () => {
      if (away) throw refusal('unavailable');
      return { state: 'paid' as const };
    };
    const { order, idle, advance, published, events } = await testModule(shopModule, { stubs: { bank: { pay } } });
    const { id } = purchase();
    await order({ id });
    await idle();
    await advance(60 * 60_000);
    expect(published(events.bought)).toEqual([]);
    away = false;
    await advance(60 * 60_000);
    expect(published(events.bought)).toEqual([{ id, state: 'paid' }]);
  });

  it('ends the work in flight before the clock moves', async () => {
    const clock = new ManualClock();
    const [begunAt, paidAt, answered] = [clock.now(), [] as number[], Promise.withResolvers<void>()];
    const pay = async () => {
      await answered.promise;
      paidAt.push(clock.now());
      return { state: 'paid' as const };
    };
    const { order, advance } = await testModule(shopModule, { clock, stubs: { bank: { pay } } });
    await order({ id: purchase().id });
    const advanced = advance(60_000);
    answered.resolve();
    await advanced;
    expect([paidAt, clock.now()]).toEqual([[begunAt], begunAt + 60_000]);
  });

  it('has its settings, and an operation with the name of a tool', async () => {
    const { operations } = await testModule(shopModule, { settings: { GREETING: 'good day' } });
    expect(await operations.when({})).toEqual({ caller: 'good day' });
  });

  it('tells why it failed behind an internal refusal', async () => {
    const { operations } = await testModule(shopModule);
    const failed = await operations.note({ id: 'torn' }).catch((error) => error);
    expect([failed.code, failed.cause]).toMatchObject(['internal', { message: 'the note is torn' }]);
  });

  it('is closed at the end of the test, and deletes its data', async () => {
    const module = await testModule(shopModule);
    await module.close();
    await module.close();
    await expect(module.note({ id: 'seed' })).rejects.toThrow('shop is closed: its test has ended');
  });
});

describe('a stub', () => {
  const lying = { bank: { pay: () => ({ state: 'lost' }) as never } };

  it.each([
    [
      'answers with another output than its contract says',
      lying,
      'the stub of bank.pay answered with an invalid output: state: must be',
    ],
    [
      'refuses with a code that its contract does not declare',
      { bank: { pay: () => Promise.reject(shop.refuse('sold-out')) } },
      'the stub of bank.pay refused with "sold-out"; bank declares "declined"',
    ],
    [
      'throws an error that is no refusal',
      { bank: { pay: () => Promise.reject(new TypeError('boom')) } },
      'the stub of bank.pay threw an error: boom; bank declares "declined", and any call may fail by refusal(\'unavailable\')',
    ],
    [
      'is missing',
      {},
      'shop called bank.pay, for which this test has no stub; add it: stubs: { bank: { pay: async (input) => … } }',
    ],
  ])('that %s fails the test', async (_, stubs, message) => {
    const { buy, order, idle } = await testModule(shopModule, { stubs });
    await expect(buy(purchase())).rejects.toThrow(message);
    await expect(order({ id: newId() }).then(idle)).rejects.toThrow(message);
  });

  it('fails the test at its end when no step of it has met the error', async () => {
    const answer = Promise.withResolvers<never>();
    const module = await testModule(shopModule, { stubs: { bank: { pay: () => answer.promise } } });
    await module.order({ id: newId() });
    answer.resolve({ state: 'lost' } as never);
    await expect(module.close()).rejects.toThrow('the stub of bank.pay answered with an invalid output');
  });

  it('may refuse as its contract declares', async () => {
    const { buy } = await testModule(shopModule, {
      stubs: {
        bank: {
          pay() {
            throw bank.refuse('declined');
          },
        },
      },
    });
    expect(await buy(purchase())).toEqual({ state: 'declined' });
  });

  it('is typed by the contract: another module, operation or answer is an error', () => {
    type Options = NonNullable<Parameters<typeof testModule<typeof shop, never, { bank: typeof bank }>>[1]>;
    expectTypeOf<keyof NonNullable<Options['stubs']>>().toEqualTypeOf<'bank'>();
    () => {
      void testModule(shopModule, { stubs: { bank: { pay: async () => ({ state: 'paid' }) } } });
      // @ts-expect-error shop does not use board.
      void testModule(shopModule, { stubs: { board: {} } });
      // @ts-expect-error bank has no operation rob.
      void testModule(shopModule, { stubs: { bank: { rob: () => ({}) } } });
      // @ts-expect-error No state of a payment is called lost.
      void testModule(shopModule, { stubs: { bank: { pay: () => ({ state: 'lost' }) } } });
      // @ts-expect-error shop has no such setting.
      void testModule(shopModule, { settings: { COLOR: 'red' } });
    };
  });
});

it('a definition that names other contracts than its module.json is refused', () => {
  const define = () => defineModule({ ...shopModule, about, uses: { shop } } as never);
  expect(define).toThrow(
    '"uses" in src/modules/shop/module.ts has the contracts of ["shop"], and "uses" in module.json names ["bank"]',
  );
});
