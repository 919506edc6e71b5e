import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Cancellation, ManualClock } from '../../../kernel/context/index.ts';
import { messageOf, type Refusal } from '../../../kernel/errors/index.ts';
import { Admission } from './admission.ts';
import { Bulkhead } from './bulkhead.ts';
import type { Gate } from './gate.ts';

const what = { module: 'payments', name: 'authorize' };
const concurrency = 3;
const queue = 6;

/** Counts its listeners. */
class WatchedCancellation extends Cancellation {
  listeners = 0;

  override onCancel(listener: () => void): () => void {
    this.listeners += 1;
    let leaves = () => {
      this.listeners -= 1;
    };
    const listenNoMore = super.onCancel(listener);
    return () => {
      leaves();
      leaves = () => {};
      listenNoMore();
    };
  }
}

interface Call {
  readonly id: number;
  readonly deadline: number;
  readonly cancellation: WatchedCancellation;
  readonly end: { resolve(value: number): void; reject(error: Error): void };
  began: boolean;
  ended: boolean;
  answers: string[];
}

/** A gate under a random history, and what must hold at each of its steps. */
class History {
  readonly calls: Call[] = [];
  #lastBegun = -1;
  readonly gate: Gate;
  readonly clock: ManualClock;

  constructor(gate: Gate, clock: ManualClock) {
    this.gate = gate;
    this.clock = clock;
  }

  start(leftMs: number): void {
    const { promise, ...end } = Promise.withResolvers<number>();
    const id = this.calls.length;
    const deadline = this.clock.now() + leftMs;
    const call: Call = {
      id,
      deadline,
      end,
      cancellation: new WatchedCancellation(),
      began: false,
      ended: false,
      answers: [],
    };
    this.calls.push(call);
    const task = () => {
      this.#begins(call);
      return promise;
    };
    this.gate.run(task, { ...call, what }).then(
      (value) => call.answers.push(String(value)),
      (error: Refusal) => call.answers.push(error.code ?? messageOf(error)),
    );
  }

  /** Ends one of the running calls. */
  finish(which: number, well: boolean): void {
    const running = this.running();
    const call = running[which % running.length];
    if (!call) return;
    call.ended = true;
    if (well) call.end.resolve(call.id);
    else call.end.reject(new Error(`${call.id}`));
  }

  cancel(which: number): void {
    this.calls[which % this.calls.length]?.cancellation.cancel();
  }

  running(): Call[] {
    return this.calls.filter((call) => call.began && !call.ended);
  }

  async check(): Promise<void> {
    await new Promise(setImmediate);
    const { running, waiting } = this.gate;
    expect(running).toBe(this.running().length);
    expect(waiting > 0 && running < concurrency).toBe(false);
    for (const { began, ended, answers } of this.calls) if (began) expect(answers.length).toBe(ended ? 1 : 0);
    expect(this.calls.filter((call) => !call.began && call.answers.length === 0).length).toBe(waiting);
  }

  #begins(call: Call): void {
    expect(call.began).toBe(false);
    expect(call.id).toBeGreaterThan(this.#lastBegun);
    expect(call.deadline).toBeGreaterThan(this.clock.now());
    expect(call.cancellation.cancelled).toBe(false);
    this.#lastBegun = call.id;
    call.began = true;
    expect(this.running().length).toBeLessThanOrEqual(concurrency);
  }
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ start: fc.integer({ min: -2, max: 60 }) }) },
  { weight: 3, arbitrary: fc.record({ finish: fc.nat(), well: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ cancel: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.nat(40) }) },
);

it.each([
  ['bulkhead', (clock: ManualClock) => new Bulkhead({ concurrency, queue }, clock)],
  ['admission', (clock: ManualClock) => new Admission({ concurrency, clock })],
])('in every history, a %s respects its limit, keeps the order and loses no task', async (name, gateOf) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const clock = new ManualClock();
      const history = new History(gateOf(clock), clock);
      for (const each of steps) {
        if ('start' in each) history.start(each.start);
        if ('finish' in each) history.finish(each.finish, each.well);
        if ('cancel' in each) history.cancel(each.cancel);
        if ('passMs' in each) clock.advance(each.passMs);
        await history.check();
        if (name === 'bulkhead') expect(history.gate.waiting).toBeLessThanOrEqual(queue);
      }
      while (history.running().length > 0) {
        history.finish(0, true);
        await history.check();
      }
      expect([history.gate.running, history.gate.waiting]).toEqual([0, 0]);
      for (const call of history.calls) {
        expect(call.cancellation.listeners).toBe(0);
        const answer = call.began ? `${call.id}` : expect.stringMatching(/^(overloaded|timeout|cancelled)$/);
        expect(call.answers).toEqual([answer]);
        if (call.answers[0] === 'cancelled') expect(call.cancellation.cancelled).toBe(true);
        if (call.answers[0] === 'timeout') expect(call.deadline).toBeLessThanOrEqual(clock.now());
      }
    }),
    { numRuns: 200 },
  );
});
