import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deep } from '../../../../test/harness/deep.ts';
import { SharedFile } from '../testing/index.ts';
import { fullDisk, type Process, SagaScene, sceneMigrations } from './saga.scene.ts';
import { findSaga } from './store.ts';

/** Three processes on one database, in which steps take as long as the test says. */
class Hands {
  readonly file = new SharedFile(sceneMigrations);
  readonly scene = new SagaScene(() => this.file.open());
  readonly begun: string[] = [];
  readonly overlaps: string[] = [];
  readonly calls = new Map<string, number>();
  readonly told: { process: Process; done: Promise<unknown> }[] = [];
  readonly killed = new Set<Process>();
  readonly #inFlight = new Map<string, Process>();
  readonly #answers: (() => void)[] = [];
  slow = true;

  async open(): Promise<void> {
    for (let pid = 1; pid <= 3; pid++) {
      const process = await this.scene.start();
      process.call = (_name, key) => this.#call(process, key);
    }
  }

  async #call(process: Process, key: string): Promise<unknown> {
    const other = this.#inFlight.get(key);
    if (other && !this.killed.has(other)) this.overlaps.push(key);
    this.#inFlight.set(key, process);
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
    if (this.slow) await new Promise<void>((resolve) => this.#answers.push(resolve));
    // A killed process never receives an answer.
    if (this.killed.has(process)) return new Promise(() => {});
    this.#inFlight.delete(key);
    return {};
  }

  get processes(): readonly Process[] {
    return this.scene.processes;
  }

  get living(): Process[] {
    return this.processes.filter((process) => !this.killed.has(process));
  }

  tell(process: Process, done: Promise<unknown>): void {
    this.told.push({ process, done });
  }

  async begin(process: Process): Promise<void> {
    const id = `d${this.begun.length + 1}`;
    this.begun.push(id);
    await process.begin(id);
  }

  answer(): void {
    this.#answers.shift()?.();
  }

  answerAll(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }

  pass(ms: number): void {
    for (const { clock } of this.living) clock.advance(ms);
  }

  kill(process: Process): void {
    if (this.living.length === 1) return;
    this.killed.add(process);
    process.beforeWork = fullDisk;
    this.scene.dead.add(this.processes.indexOf(process) + 1);
  }
}

const acts: Record<string, (process: Process, hands: Hands) => unknown> = {
  begin: (process, hands) => hands.begin(process),
  'begin one more': (process, hands) => hands.begin(process),
  finish: (process, hands) => hands.tell(process, process.runner.finish(2_000)),
  stop: (process, hands) => hands.tell(process, process.runner.stop()),
  start: (process, hands) => hands.tell(process, process.runner.start()),
  look: (process) => process.runner.wake(),
  answer: (_, hands) => hands.answer(),
  'answer all': (_, hands) => hands.answerAll(),
  'a while passes': (_, hands) => hands.pass(500),
  'seconds pass': (_, hands) => hands.pass(3_000),
  kill: (process, hands) => hands.kill(process),
};

const act = fc.record({ who: fc.nat(2), what: fc.constantFrom(...Object.keys(acts)), turns: fc.nat(4) });

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function holds(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (doing) => {
      const hands = new Hands();
      await hands.open();
      for (const { who, what, turns: count } of doing) {
        const process = hands.processes[who];
        if (!process || hands.killed.has(process)) continue;
        await acts[what]?.(process, hands);
        await turns(count);
      }
      await end(hands);
    }),
    { numRuns },
  );
}

it('each saga ends once under any sequence of transfers, and no step runs twice without a kill', () => holds(30));
it('each saga ends once in more histories', deep, () => holds(100));

/** Ends all delays, starts all live runners, and checks that all sagas end. */
async function end(hands: Hands): Promise<void> {
  hands.slow = false;
  hands.answerAll();
  await Promise.all(hands.told.filter(({ process }) => !hands.killed.has(process)).map(({ done }) => done));
  for (const { runner } of hands.living) await runner.start();
  const isDone = async () => (await hands.scene.written()).length >= hands.begun.length;
  for (let second = 0; second < 60 && !(await isDone()); second++) {
    hands.pass(1_000);
    await turns(10);
  }
  expect((await hands.scene.written()).toSorted()).toEqual(hands.begun.toSorted());
  for (const id of hands.begun) {
    expect(await findSaga(hands.processes[0]!.database, id)).toMatchObject({ state: 'done', owner: null });
  }
  expect(hands.overlaps).toEqual([]);
  expect(hands.living.flatMap(({ warnings }) => warnings)).toEqual([]);
  const repeated = [...hands.calls].filter(([, times]) => times > 1 + hands.killed.size);
  expect(repeated).toEqual([]);
  for (const { runner, instance } of hands.living) {
    await runner.stop();
    await instance.stop();
  }
  await hands.file.close();
}
