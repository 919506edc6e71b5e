import { expect, it } from 'vitest';
import { z } from 'zod';
import type { CallSource } from '../calls/index.ts';
import { contract, query } from '../contract/index.ts';
import { ModuleContainer } from './container.ts';
import { token } from './tokens.ts';

const price = query({ summary: 'A price', input: z.object({}), output: z.object({ cents: z.int() }) });
const orders = contract('orders', { operations: { price } });
const catalog = contract('catalog', { operations: { price } });
const payments = contract('payments', { operations: { price } });

const about = { name: 'orders', owner: 'checkout', about: 'Checkout.', uses: ['catalog'], listensTo: ['payments'] };
const calls: CallSource = (operation, caller) => async () => ({ from: caller, to: operation.module });
const container = new ModuleContainer(about, calls, undefined);

it('returns the client of a declared module and of its own module', async () => {
  expect(await container.client(catalog).price({})).toEqual({ from: 'orders', to: 'catalog' });
  expect(await container.client(orders).price({})).toEqual({ from: 'orders', to: 'orders' });
});

it('refuses the client of an undeclared module, even of a publisher, and shows the line for module.json', () => {
  expect(() => container.client(payments)).toThrow(
    '"orders" asks for "payments", which it does not declare. Add it in src/modules/orders/module.json: "uses": ["catalog","payments"]',
  );
});

it('creates a registered value once, at its first use', () => {
  let made = 0;
  const counter = token<{ made: number }>('the counter');
  container.register(counter, () => ({ made: ++made }));
  expect(made).toBe(0);
  expect(container.resolve(counter)).toBe(container.resolve(counter));
  expect(made).toBe(1);
});

it('says where to register a missing value', () => {
  expect(() => container.resolve(token<string>('the provider'))).toThrow(
    '"orders" asks for the provider, which nothing registered: register it in src/modules/orders/module.ts',
  );
});

it('hides the values of one module from another', () => {
  const secret = token<string>('the secret');
  container.register(secret, () => 'of orders');
  const other = new ModuleContainer({ ...about, name: 'board' }, calls, undefined);
  expect(() => other.resolve(secret)).toThrow('"board" asks for the secret');
});
