import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { Pulse } from './pulse.ts';

describe('a heartbeat', () => {
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

  it('sends a request in each interval while answers arrive', () => {
    pass(5);
    expect(seen).toEqual(Array(5).fill('ask'));
  });

  it('reports a missing answer once, and stops', () => {
    pass(1);
    answers = false;
    pass(10);
    expect(seen).toEqual(['ask', 'ask', 'ask', 'gone']);
  });

  it('reports nothing after its stop', () => {
    answers = false;
    pass(2);
    pulse.stop();
    pass(10);
    expect(seen).toEqual(['ask', 'ask']);
  });
});
