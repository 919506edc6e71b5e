import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallSource } from '../../src/shared/kernel/calls/index.ts';
import { setTrap } from '../../src/shared/kernel/context/index.ts';
import { modulesHere, openDefinition } from '../harness/module.ts';

const isHere = (name: string) => modulesHere.some(({ contract }) => contract.name === name);
const one = (name: string) => modulesHere.find(({ contract }) => contract.name === name)!;
/** Returns `it` for a module in this repository. Without the module the test is skipped. */
const itOf = (name: string) => it.runIf(isHere(name));
const memberId = randomUUID();
const amount = { amount: 5_000, currency: 'KRW' };
type Open = Awaited<ReturnType<typeof openDefinition>>;

/** A network may repeat a command. In every module the command takes effect once, and each repeat gets the same answer. */
describe('a duplicate command', () => {
  let module: Open;
  afterEach(() => module.close());

  async function twice(operation: string, input: unknown) {
    const context = { idempotencyKey: randomUUID() };
    const [first, second] = [
      await module.call(operation, input, context),
      await module.call(operation, input, context),
    ];
    expect(second).toEqual(first);
    return first as Record<string, never>;
  }

  itOf('inventory')('reserves stock once, and releases it once', async () => {
    module = await openDefinition(one('inventory'));
    const orderId = randomUUID();
    const left = async () =>
      ((await module.call('levels', { skus: ['LIMITED-1'] })) as { levels: { available: number }[] }).levels[0]!
        .available;
    await twice('reserve', { orderId, lines: [{ sku: 'LIMITED-1', quantity: 2 }] });
    expect(await left()).toBe(3);
    await twice('release', { orderId });
    expect(await left()).toBe(5);
    await twice('restock', { sku: 'LIMITED-1', quantity: 1 });
    expect(await left()).toBe(6);
  });

  itOf('payments')('authorizes, captures and refunds one payment', async () => {
    module = await openDefinition(one('payments'));
    const charge = { orderId: randomUUID(), memberId, amount };
    const { id } = await twice('authorize', { ...charge, token: 'tok_ok' });
    await twice('capture', charge);
    await twice('refund', charge);
    expect(await module.call('get', { id, memberId })).toMatchObject({ status: 'refunded', amount });
  });

  itOf('members')('signs up one member, and does not refuse the repeat because of the taken address', async () => {
    module = await openDefinition(one('members'));
    await twice('signUp', { email: 'ann@example.com', password: 'correct horse', name: 'Ann' });
    await expect(
      module.call('signUp', { email: 'ANN@example.com', password: 'correct horse', name: 'Ann' }),
    ).rejects.toMatchObject({
      code: 'email-taken',
    });
  });

  itOf('board')('writes one post and one comment', async () => {
    const people: CallSource = () => async () => ({ name: 'Ann' });
    module = await openDefinition(one('board'), people);
    const { id } = await twice('write', { memberId, title: 'A title', body: 'A body' });
    await twice('comment', { memberId, postId: id, body: 'A comment' });
    const { items } = (await module.call('list', {})) as { items: unknown[] };
    const { comments } = (await module.call('read', { id })) as { comments: unknown[] };
    expect([items.length, comments.length]).toEqual([1, 1]);
  });

  it.each(['mail', 'sms'].filter(isHere))('accepts one message by %s, also under another key', async (channel) => {
    module = await openDefinition(one(channel));
    const letter = { messageId: randomUUID(), memberId, text: 'Hello' };
    const input =
      channel === 'mail'
        ? { ...letter, to: 'ann@example.com', subject: 'Hello' }
        : { ...letter, to: '+82 10 1234 5678' };
    await twice('send', input);
    await twice('send', input);
    const table = channel === 'mail' ? 'mails' : 'texts';
    expect(await module.database.db.all(`SELECT message_id FROM ${table}`)).toHaveLength(1);
  });

  itOf('members')('takes effect once when the second arrives while the first is in flight', async () => {
    module = await openDefinition(one('members'));
    const context = { idempotencyKey: randomUUID() };
    const sign = () =>
      module.call('signUp', { email: 'ann@example.com', password: 'correct horse', name: 'Ann' }, context);
    const [first, second] = await Promise.all([sign(), sign()]);
    expect(second).toEqual(first);
  });

  itOf('members')('is refused with another input while the first is in flight', async () => {
    module = await openDefinition(one('members'));
    const context = { idempotencyKey: randomUUID() };
    const sign = (name: string) =>
      module.call('signUp', { email: `${name}@example.com`, password: 'correct horse', name }, context);
    const [first, second] = await Promise.allSettled([sign('ann'), sign('bob')]);
    expect([first.status, (second as PromiseRejectedResult).reason.code]).toEqual(['fulfilled', 'invalid-input']);
  });

  itOf('inventory')('is refused with another input under the same key', async () => {
    module = await openDefinition(one('inventory'));
    const context = { idempotencyKey: randomUUID() };
    await module.call('restock', { sku: 'WAX', quantity: 1 }, context);
    await expect(module.call('restock', { sku: 'WAX', quantity: 2 }, context)).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });
});

describe('a repeated command in steps after its process died between the last commit and the answer', () => {
  let module: Open;
  afterEach(async () => {
    setTrap(undefined);
    await module.close();
  });

  /** Calls a command, fails it right after its last commit, and calls it again. Between the calls, runs `change` for other callers. */
  async function again(operation: string, input: unknown, change = async (_: unknown) => {}) {
    const context = { idempotencyKey: randomUUID() };
    let deaths = 0;
    setTrap((point) => {
      if (!point.endsWith(`/${operation}/committed`)) return;
      deaths += 1;
      if (deaths === 1) throw new Error('dead');
    });
    await expect(module.call(operation, input, context)).rejects.toMatchObject({ code: 'internal' });
    await change(input);
    const answer = await module.call(operation, input, context);
    expect([await module.call(operation, input, context), deaths > 0]).toEqual([answer, true]);
    return answer as Record<string, never>;
  }

  itOf('members')('signs up one member', async () => {
    module = await openDefinition(one('members'));
    const ann = { email: 'ann@example.com', password: 'correct horse', name: 'Ann' };
    const { id } = await again('signUp', ann);
    expect(await module.call('signIn', { email: ann.email, password: ann.password })).toEqual({ id });
  });

  itOf('board')('writes one post or comment', async () => {
    const people: CallSource = () => async () => ({ name: 'Ann' });
    module = await openDefinition(one('board'), people);
    const { id } = await again('write', { memberId, title: 'A title', body: 'A body' });
    const comment = await again('comment', { memberId, postId: id, body: 'A comment' });
    const { items } = (await module.call('list', {})) as { items: unknown[] };
    expect([items, await module.call('read', { id })]).toMatchObject([[{ id }], { comments: [{ id: comment.id }] }]);
  });

  itOf('payments')('answers with the payment as it was at the first call', async () => {
    module = await openDefinition(one('payments'));
    const charge = { orderId: randomUUID(), memberId, amount };
    const then = (operation: string) => async () => void (await module.call(operation, charge));
    const states = [
      await again('authorize', { ...charge, token: 'tok_ok' }, then('capture')),
      await again('refund', charge),
    ];
    const other = { ...charge, orderId: randomUUID() };
    await module.call('authorize', { ...other, token: 'tok_ok' });
    states.push(await again('capture', other, async () => void (await module.call('refund', other))));
    states.push(await again('void', { ...charge, orderId: randomUUID() }));
    expect(states.map(({ status }) => status)).toEqual(['authorized', 'refunded', 'captured', 'voided']);
  });
});

describe('payments, when calls arrive out of order', () => {
  itOf('payments')('does not authorize a voided payment', async () => {
    const module = await openDefinition(one('payments'));
    const charge = { orderId: randomUUID(), memberId, amount };
    await module.call('void', charge);
    await expect(module.call('authorize', { ...charge, token: 'tok_ok' })).rejects.toMatchObject({
      code: 'payment-over',
    });

    const slow = { orderId: randomUUID(), memberId, amount };
    const authorizing = module.call('authorize', { ...slow, token: 'tok_slow' }).catch((error: unknown) => error);
    await module.call('void', slow);
    expect(await authorizing).toMatchObject({ code: 'payment-over' });
    expect(await module.call('ofOrder', { orderId: slow.orderId, memberId })).toMatchObject({
      payment: { status: 'voided' },
    });
    await module.close();
  });
});
