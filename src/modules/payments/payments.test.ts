import { newId, setTrap } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { afterEach, describe, expect, it } from 'vitest';
import payments from './module.ts';

const newCharge = () => ({ orderId: newId(), memberId: newId(), amount: { amount: 5_000, currency: 'KRW' } });

it('authorizes, captures and refunds one payment, however often it is asked', async () => {
  const bank = await testModule(payments);
  const charge = newCharge();
  const { id } = await bank.authorize({ ...charge, token: 'tok_ok' });
  expect(await bank.authorize({ ...charge, token: 'tok_ok' })).toMatchObject({ id, status: 'authorized' });
  for (const take of [bank.capture, bank.capture, bank.refund, bank.refund]) await take(charge);
  expect(await bank.get({ id, memberId: charge.memberId })).toMatchObject({ status: 'refunded' });
  const { captured, refunded } = bank.events;
  expect([bank.published(captured), bank.published(refunded)]).toMatchObject([
    [{ paymentId: id }],
    [{ paymentId: id }],
  ]);
});

it('remembers that the provider declined', async () => {
  const bank = await testModule(payments);
  const charge = newCharge();
  const declined = { code: 'payment-declined', status: 402 };
  await expect(bank.authorize({ ...charge, token: 'tok_declined' })).rejects.toMatchObject(declined);
  await expect(bank.authorize({ ...charge, token: 'tok_ok' })).rejects.toMatchObject(declined);
});

it('shows a payment to its member only', async () => {
  const bank = await testModule(payments);
  const charge = newCharge();
  await bank.authorize({ ...charge, token: 'tok_ok' });
  expect(await bank.ofOrder({ orderId: charge.orderId, memberId: newId() })).toEqual({ payment: null });
});

describe('a payment that was voided', () => {
  it('is not authorized later', async () => {
    const bank = await testModule(payments);
    const charge = newCharge();
    await bank.void(charge);
    await expect(bank.authorize({ ...charge, token: 'tok_ok' })).rejects.toMatchObject({ code: 'payment-over' });
  });

  it('stays voided when the provider authorizes it late', async () => {
    const bank = await testModule(payments);
    const charge = newCharge();
    const authorizing = bank.authorize({ ...charge, token: 'tok_slow' });
    await bank.void(charge);
    await bank.advance(3_000);
    await expect(authorizing).rejects.toMatchObject({ code: 'payment-over' });
    const { orderId, memberId } = charge;
    expect(await bank.ofOrder({ orderId, memberId })).toMatchObject({ payment: { status: 'voided' } });
  });
});

describe('a command that is repeated after its process died', () => {
  afterEach(() => setTrap(undefined));

  it('answers with the payment as it was at the first call', async () => {
    const bank = await testModule(payments);
    const charge = newCharge();
    const authorize = () => bank.authorize({ ...charge, token: 'tok_ok' }, { idempotencyKey: 'one' });
    setTrap((point) => {
      if (point.endsWith('/authorize/committed')) throw new Error('dead');
    });
    await expect(authorize()).rejects.toMatchObject({ code: 'internal' });
    setTrap(undefined);
    await bank.capture(charge);
    expect(await authorize()).toMatchObject({ status: 'authorized' });
  });
});
