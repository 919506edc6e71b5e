import { expect, it } from 'vitest';
import { manifestSchema } from './manifest.ts';

const named = (name: string) =>
  manifestSchema.safeParse({ name, owner: 'shop-team', about: 'What it does.', uses: [], listensTo: [] });

it.each(['home', 'gateway', 'kernel', 'kerf', 'in-process', 'constructor', 'Orders', '1st', ''])(
  'no module may be called "%s"',
  (name) => expect(named(name).success).toBe(false),
);

it('says why a name is refused', () => {
  expect(named('constructor').error?.issues[0]?.message).toBe('must not be a name that every object of JavaScript has');
  expect(named('gift-cards').success).toBe(true);
});
