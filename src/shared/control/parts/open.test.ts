import { expect, it } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import type { ControlPart } from './index.ts';
import { openParts } from './open.ts';
import type { OpenPart } from './part.ts';

const part = (name: string, open: OpenPart = {}): ControlPart => ({ name, open: () => open });

function opened(parts: readonly ControlPart[], settings: object = {}) {
  const around = { topology: { settings }, identity: new ManualClock() };
  return openParts(parts, around as unknown as Parameters<typeof openParts>[1]);
}

it('opens each part, and joins what they add', () => {
  const shared = { current: () => 1, set: () => {} };
  const server: OpenPart['server'] = () => (call, next) => next(call);
  const parts = opened([part('one', { shared, server }), part('other')]);
  expect([[...parts.shared.keys()], parts.trials, parts.hooks]).toEqual([
    ['one'],
    undefined,
    { observers: [], faults: [], servers: [server], counter: undefined, listener: undefined },
  ]);
});

it('refuses two parts of one name', () => {
  expect(() => opened([part('one'), part('one')])).toThrow('"control" in src/app.ts lists one() twice');
});

it.each<[string, OpenPart]>([
  ['counter', { counter: {} as OpenPart['counter'] & object }],
  ['listener', { listener: {} as OpenPart['listener'] & object }],
  ['requestEnded', { requestEnded: () => {} }],
  ['trials', { trials: {} as OpenPart['trials'] & object }],
])('refuses two parts that give a %s, and names both', (key, open) => {
  expect(() => opened([part('one', open), part('between'), part('other', open)])).toThrow(
    `one() and other() both give "${key}"`,
  );
});

it('refuses a crash point when no part sets it', () => {
  expect(() => opened([part('one')], { FAULT_POINT: 'saga:checkout:done' })).toThrow('FAULT_POINT needs faults()');
});
