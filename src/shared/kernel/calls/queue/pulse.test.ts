import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../context/index.ts';
import { Pulse } from './pulse.ts';

describe('a pulse', () => {
  let clock: ManualClock;
  let answers: boolean;
  let seen: string[];
  let pulse: Pulse;

  beforeEach(() => {
    clock = new ManualClock();
    answers = true;
    seen = [];
    const ask = () => {
      seen.push('ask');
      if (answers) pulse.heard();
    };
    pulse = new Pulse({ askAfterMs: 10, goneAfterMs: 30 }, clock, ask, () => seen.push('gone'));
  });

  const pass = (steps: number) => {
    for (let step = 0; step < steps; step++) clock.advance(10);
  };

  it('asks for as long as it is answered', () => {
    pass(5);
    expect(seen).toEqual(Array(5).fill('ask'));
  });

  it('says once that nothing was heard for too long, and asks no more', () => {
    pass(1);
    answers = false;
    pass(10);
    expect(seen).toEqual(['ask', 'ask', 'ask', 'gone']);
  });

  it('says nothing once it is stopped', () => {
    answers = false;
    pass(2);
    pulse.stop();
    pass(10);
    expect(seen).toEqual(['ask', 'ask']);
  });
});
