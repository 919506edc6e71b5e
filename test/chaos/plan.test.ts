import { describe, expect, it } from 'vitest';
import { type Act, type ActKind, draw, home } from './plan.ts';

const targets = { modules: ['mail', 'orders', 'payments'], subscribers: ['mail'] };
const none = { fullDisk: false, broker: false };
const kindsOf = (acts: readonly Act[]) => new Set(acts.map(({ kind }) => kind));

describe('the plan of a chaos run', () => {
  it('depends only on its seed', () => {
    expect(draw(7, 60_000, targets, none)).toEqual(draw(7, 60_000, targets, none));
    expect(draw(8, 60_000, targets, none)).not.toEqual(draw(7, 60_000, targets, none));
  });

  it('has no faults in the first second and the last sixth', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      for (const { atMs, forMs } of draw(seed, 60_000, targets, none)) {
        expect(atMs).toBeGreaterThanOrEqual(1_000);
        expect(atMs + forMs).toBeLessThanOrEqual(50_001);
      }
    }
  });

  it('has no faults in the last 20 s of a long run, and a fault every 4 s before', () => {
    const acts = draw(1, 300_000, targets, none);
    expect(acts.at(-1)!.atMs).toBeGreaterThan(276_000);
    for (const [index, { atMs }] of acts.entries())
      expect(atMs - (acts[index - 1]?.atMs ?? 0)).toBeLessThanOrEqual(4_000);
  });

  it('has every kind of fault in one minute, and faults of every process in ten minutes', () => {
    const common: ActKind[] = ['kill', 'freeze', 'edge', 'handlers', 'fatal event', 'slow disk'];
    const rest: ActKind[] = ['lost file', 'older copy', 'clock step', 'providers', 'move', 'hang-ups'];
    expect(kindsOf(draw(1, 60_000, targets, none))).toEqual(new Set([...common, ...rest]));
    const killed = draw(1, 600_000, targets, none).flatMap((act) => (act.kind === 'kill' ? act.target : []));
    expect(new Set(killed)).toEqual(new Set([...targets.modules, home]));
  });

  it('fills a disk or stops a broker only when the run has one', () => {
    const able = kindsOf(draw(1, 120_000, targets, { fullDisk: true, broker: true }));
    expect([able.has('full disk'), able.has('broker away')]).toEqual([true, true]);
  });

  it('hangs the handlers of subscribers only', () => {
    for (const act of draw(3, 600_000, targets, none))
      if (act.kind === 'handlers' || act.kind === 'fatal event') expect(act.target).toBe('mail');
  });
});
