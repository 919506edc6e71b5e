import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { command, contract, event } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import { type Saga, step } from '../saga/index.ts';
import { given } from './given.ts';

const cups = z.strictObject({ cups: z.int() });
const kitchen = contract('kitchen', {
  operations: {
    boil: command({ summary: 'Boils', input: cups, output: z.object({ degrees: z.int() }) }),
    cool: command({ summary: 'Lets it cool', input: cups, output: z.object({}) }),
    brew: command({ summary: 'Brews', input: cups, output: z.object({}) }),
  },
  events: { served: event('served', 1, 'guest', z.object({ guest: z.string() })) },
  errors: { 'no-beans': { status: 409, title: 'There are no beans' } },
});
const { boil, cool, brew } = kitchen.operations;

type Serving = Unit & { publish(event: typeof kitchen.events.served, data: { guest: string }): Promise<void> };
type Coffee = z.infer<typeof cups>;
const next = step<Coffee, Serving>;

const coffee: Saga<Coffee, Serving> = {
  name: 'coffee',
  version: 1,
  data: cups,
  deadlineMs: 10_000,
  steps: [
    next('boil')
      .call(boil, (wanted) => wanted)
      .compensate(cool, (wanted) => wanted),
    next('brew').call(brew, (wanted) => wanted),
    next('serve').write((unit) => unit.publish(kitchen.events.served, { guest: 'Ann' })),
  ],
};

const boiled = () => given(coffee, { cups: 2 }).expects(boil).replies({ degrees: 96 });

describe('a scenario', () => {
  it('shows the published events and the history', async () => {
    const ended = await boiled().expects(brew, { cups: 2 }).replies({}).ends('done');
    expect(ended.published(kitchen.events.served)).toEqual([{ guest: 'Ann' }]);
    expect(ended.history).toEqual(['boil done', 'brew done', 'serve done']);
  });

  it('fails when another call than the expected one arrives', async () => {
    await expect(boiled().expects(cool).replies({}).ends('done')).rejects.toThrow('kitchen.brew was not expected now');
    await expect(boiled().ends('done')).rejects.toMatchObject({ expected: 'no further call', actual: 'kitchen.brew' });
  });

  it('fails when a call has another input', async () => {
    const story = boiled().expects(brew, { cups: 3 }).replies({}).ends('done');
    await expect(story).rejects.toMatchObject({ expected: { cups: 3 }, actual: { cups: 2 } });
  });

  it('fails when an expected call does not arrive', async () => {
    const story = boiled().expects(brew).replies({}).expects(cool).replies({}).ends('done');
    await expect(story).rejects.toThrow(
      'the saga ended done without calling kitchen.cool: boil done, brew done, serve done',
    );
  });

  it('fails when the saga has another outcome', async () => {
    await expect(boiled().expects(brew).replies({}).ends('compensated')).rejects.toThrow(
      'the saga ended done, not compensated: boil done, brew done, serve done',
    );
  });

  it('refuses an answer that violates the contract', () => {
    expect(() =>
      given(coffee, { cups: 2 })
        .expects(boil)
        .replies({ degrees: 'hot' as never }),
    ).toThrow('degrees');
  });

  it('advances time only on request or for a wait', async () => {
    const story = (ms: number) => boiled().expects(brew).fails(1, refusal('unavailable')).after(ms);
    await story(9_999).replies({}).ends('done');
    await story(10_000).expects(cool).replies({}).ends('compensated');
  });

  it('continues in another process after a crash, with the same key', async () => {
    const ended = await boiled().expects(brew).crashes().crashes().replies({}).ends('done');
    expect(ended.published(kitchen.events.served)).toHaveLength(1);
  });

  it('drops the events of a failed write', async () => {
    let failing = true;
    const serve = next('serve').write(async (unit) => {
      await unit.publish(kitchen.events.served, { guest: 'Bo' });
      if (failing) {
        failing = false;
        throw new Error('spilt');
      }
    });
    const ended = await given({ ...coffee, steps: [serve] }, { cups: 1 }).ends('done');
    expect(ended.published(kitchen.events.served)).toEqual([{ guest: 'Bo' }]);
  });
});
