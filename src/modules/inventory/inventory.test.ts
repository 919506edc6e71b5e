import { newId } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import inventory from './module.ts';

const heldForMs = 900_000;
const hoursMs = 7_200_000;
const sku = 'LIMITED-1';

/** Opens the module with five of a product, two of them held. */
async function withReservation(aheadMs = 0) {
  const stock = await testModule(inventory);
  const reservation = { orderId: newId(), lines: [{ sku, quantity: 2 }] };
  await stock.advance(aheadMs);
  await stock.reserve(reservation);
  const left = async () => (await stock.levels({ skus: [sku] })).levels[0]?.available;
  return { stock, ...reservation, reservation, left };
}

it('gives back what was held for its time, and not before', async () => {
  const { stock, left } = await withReservation();
  await stock.advance(heldForMs - 1);
  expect(await left()).toBe(3);
  await stock.advance(1_000);
  expect(await left()).toBe(5);
});

it('holds nothing for longer though the clock was hours ahead when it was reserved', async () => {
  const { stock, left } = await withReservation(hoursMs);
  await stock.advance(-hoursMs);
  await stock.advance(heldForMs - 1);
  expect(await left()).toBe(3);
  await stock.advance(heldForMs);
  expect(await left()).toBe(5);
});

it('keeps what was taken, until the order is given back', async () => {
  const { stock, orderId, left } = await withReservation();
  await stock.take({ orderId });
  await stock.advance(heldForMs * 2);
  expect(await left()).toBe(3);
  expect(await stock.release({ orderId })).toEqual({ orderId, state: 'returned' });
  expect(await left()).toBe(5);
});

it('reserves all lines or none', async () => {
  const { stock, left } = await withReservation();
  const lines = [
    { sku, quantity: 1 },
    { sku: 'UNKNOWN', quantity: 1 },
  ];
  await expect(stock.reserve({ orderId: newId(), lines })).rejects.toMatchObject({
    ...{ code: 'out-of-stock', data: { sku: 'UNKNOWN' } },
  });
  expect(await left()).toBe(3);
});

it('reserves and releases once, however often it is asked', async () => {
  const { stock, orderId, reservation, left } = await withReservation();
  await stock.reserve(reservation);
  expect(await left()).toBe(3);
  await stock.release({ orderId });
  await stock.release({ orderId });
  expect(await left()).toBe(5);
});

it('refuses to reserve for an order that was released before', async () => {
  const stock = await testModule(inventory);
  const orderId = newId();
  await stock.release({ orderId });
  const late = stock.reserve({ orderId, lines: [{ sku, quantity: 1 }] });
  await expect(late).rejects.toMatchObject({ code: 'reservation-over' });
});

it('restocks once for each key, and tells when little is left', async () => {
  const stock = await testModule(inventory);
  const more = { sku, quantity: 7 };
  await stock.restock(more, { idempotencyKey: 'delivery 1' });
  expect(await stock.restock(more, { idempotencyKey: 'delivery 1' })).toEqual({ sku, available: 12 });
  const changed = stock.restock({ sku, quantity: 8 }, { idempotencyKey: 'delivery 1' });
  await expect(changed).rejects.toMatchObject({ code: 'invalid-input' });
  await stock.reserve({ orderId: newId(), lines: [{ sku, quantity: 3 }] });
  expect(stock.published(stock.events.stockLow)).toEqual([{ sku, available: 9 }]);
});
