import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { refusal } from '../errors/index.ts';
import { SharedFile } from '../testing/index.ts';
import { bank, SagaScene, sceneMigrations } from './saga.scene.ts';
import { findSaga } from './store.ts';
import type { SagaState } from './tables.ts';

type Call = (name: string, key: string) => Promise<unknown>;

/** Two simulated processes on one database. Sagas and instances cannot tell them from real processes. */
describe('sagas of several instances', () => {
  let file: SharedFile;
  let scene: SagaScene;

  beforeEach(() => {
    file = new SharedFile(sceneMigrations);
    scene = new SagaScene(() => file.open());
  });

  afterEach(async () => {
    await scene.close();
    await file.close();
  });

  it('are shared among all of them, and no step runs twice at a time', async () => {
    const both = [await scene.start(), await scene.start()];
    const running = new Set<string>();
    const calls = new Map<string, number>();
    const overlaps: string[] = [];
    for (const each of both) {
      each.call = async (_name, key) => {
        if (running.has(key)) overlaps.push(key);
        running.add(key);
        await new Promise((resolve) => setImmediate(resolve));
        running.delete(key);
        const times = (calls.get(key) ?? 0) + 1;
        calls.set(key, times);
        if (times === 1) throw refusal('unavailable');
      };
    }
    const ids = Array.from({ length: 100 }, (_, n) => `deal-${n}`);
    await Promise.all(ids.map((id, n) => both[n % 2]!.begin(id)));
    await scene.until(async () => (await scene.written()).length === ids.length, both);
    expect(overlaps).toEqual([]);
    expect([...calls.values()]).toEqual(ids.flatMap(() => [2, 2]));
  });

  it('continue after a wait in the first instance that finds them due', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    const calls: string[] = [];
    const failsFirst =
      (who: number): Call =>
      async (name) => {
        const known = calls.some((line) => line.endsWith(name));
        calls.push(`${who} ${name}`);
        if (!known) throw refusal('unavailable');
      };
    first.call = failsFirst(1);
    second.call = failsFirst(2);
    await first.begin('d1');
    await scene.until(async () => calls.includes('2 seal'), [second]);
    await scene.until(async () => (await first.state('d1')) === 'done', [first]);
    expect(calls).toEqual(['1 take', '2 take', '2 seal', '1 seal']);
  });

  it('are taken over from a killed instance, with the unrecorded steps', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    const calls: string[] = [];
    const killed = new Promise<void>((resolve) => {
      first.call = async (name, key) => {
        calls.push(`1 ${key}`);
        if (name === 'take') return {};
        resolve();
        return new Promise(() => {});
      };
    });
    second.call = async (_name, key) => calls.push(`2 ${key}`);
    await first.begin('d1');
    await killed;
    scene.dead.add(1);
    await scene.until(async () => (await second.state('d1')) === 'done', [second]);
    expect(calls).toEqual(['1 d1/take', '1 d1/seal', '2 d1/take', '2 d1/seal']);
    expect(await findSaga(second.database, 'd1')).toMatchObject({ owner: null, fence: 2 });
  });

  it('compensate also a refused step of a dead instance: it may have happened', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    const calls: string[] = [];
    const killed = new Promise<void>((resolve) => {
      first.call = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    second.call = async (name) => {
      calls.push(name);
      if (name === 'take') throw bank.refuse('broke');
    };
    await first.begin('d1');
    await killed;
    scene.dead.add(1);
    await scene.until(async () => (await second.state('d1')) === 'compensated', [second]);
    expect(calls).toEqual(['take', 'giveBack']);
  });

  it('are not taken over from a living instance, however long a step takes', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    let answer = () => {};
    first.call = (name) => (name === 'take' ? new Promise((resolve) => (answer = () => resolve({}))) : never());
    second.call = never;
    await first.begin('d1');
    const end = first.clock.now() + 90_000;
    await scene.until(() => first.clock.now() > end, [first, second]);
    first.call = async () => ({});
    answer();
    await scene.until(async () => (await first.state('d1')) === 'done', [first, second]);
    expect((await findSaga(first.database, 'd1'))?.fence).toBe(1);
  });

  it('are left alone by an instance that was paused beyond its lease, also with a step in flight', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    let answer: (() => void) | undefined;
    first.call = (name) =>
      name === 'seal' ? new Promise((resolve) => (answer = () => resolve({}))) : Promise.resolve({});
    await first.begin('d1');
    await vi.waitFor(() => expect(answer).toBeDefined());
    await scene.until(async () => (await second.state('d1')) === 'done', [second]);
    const ended = await findSaga(second.database, 'd1');
    answer!();
    await vi.waitFor(() => expect(first.warnings).toEqual(['d1 was taken over by another instance']));
    expect(await findSaga(second.database, 'd1')).toEqual(ended);
    expect(await scene.written()).toEqual(['d1']);
  });

  it('notify waiters in other instances', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    first.call = async () => {
      throw refusal('unavailable');
    };
    await first.begin('d1');
    const waiting = first.runner.settled('d1', 60_000);
    await vi.waitFor(async () => expect((await findSaga(first.database, 'd1'))?.attempts).toBe(1));
    await scene.until(async () => (await second.state('d1')) === 'done', [second]);
    first.clock.advance(1_000);
    expect(await waiting).toBe('done');
  });

  it('notify waiters in other instances within 50 ms', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    let answer = () => {};
    first.call = () => new Promise((resolve) => (answer = () => resolve({})));
    await first.begin('d1');
    let told: SagaState | undefined;
    void second.runner.settled('d1', 60_000).then((state) => {
      told = state;
    });
    await second.state('d1');
    second.clock.advance(50);
    await second.state('d1');
    expect(told).toBeUndefined();
    first.call = async () => ({});
    answer();
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
    second.clock.advance(50);
    await vi.waitFor(() => expect(told).toBe('done'));
  });
});

async function never(): Promise<never> {
  throw new Error('this instance was not to call');
}
