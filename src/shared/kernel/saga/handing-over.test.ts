import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SharedFile } from '../testing/index.ts';
import { bank, fullDisk, SagaScene, sceneMigrations } from './saga.scene.ts';
import { findSaga } from './store.ts';

describe('sagas that are transferred to another runner', () => {
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

  it('are completed by a finishing runner, and new ones continue in another runner', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    let answer = () => {};
    first.call = (name, key) =>
      key.startsWith('slow') && name === 'take'
        ? new Promise((resolve) => (answer = () => resolve({})))
        : Promise.resolve({});
    await first.begin('quick');
    await vi.waitFor(async () => expect(await first.state('quick')).toBe('done'));
    await first.begin('slow');
    const finishing = first.runner.finish(10_000);
    await first.begin('late');
    expect(await findSaga(second.database, 'late')).toMatchObject({ owner: null, state: 'running' });
    answer();
    expect(await finishing).toEqual({ underWay: 1, ended: 1, handedOver: [] });
    expect(await scene.written()).toEqual(['quick', 'slow']);
    await scene.until(async () => (await second.state('late')) === 'done', [second]);
    expect(await first.runner.count(['quick', 'slow', 'late', 'nobody'])).toBe(3);
  });

  it('are transferred after the maximum wait, and each step runs once', async () => {
    const [first, second] = [await scene.start(), await scene.start()];
    const calls: string[] = [];
    let answer = () => {};
    first.call = (name) => {
      calls.push(`1 ${name}`);
      return new Promise((resolve) => (answer = () => resolve({})));
    };
    second.call = async (name) => calls.push(`2 ${name}`);
    await first.begin('d1');
    await vi.waitFor(() => expect(calls).toEqual(['1 take']));
    const finishing = first.runner.finish(5_000);
    first.clock.advance(5_000);
    answer();
    expect(await finishing).toEqual({ underWay: 1, ended: 0, handedOver: ['d1'] });
    second.clock.advance(5_000);
    second.runner.wake();
    await vi.waitFor(async () => expect(await second.state('d1')).toBe('done'));
    expect(calls).toEqual(['1 take', '2 seal']);
    expect(await findSaga(second.database, 'd1')).toMatchObject({ attempts: 0, fence: 2 });
  });

  it('continue in the first runner when the transfer is cancelled', async () => {
    const first = await scene.start();
    await first.runner.finish(1_000);
    await first.begin('d1');
    expect(await first.state('d1')).toBe('running');
    await first.runner.start();
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
  });

  it('continue where they were when the transfer is cancelled before it happens', async () => {
    const first = await scene.start();
    const calls: string[] = [];
    let answer = () => {};
    first.call = (name) => {
      calls.push(name);
      return name === 'take' ? new Promise((resolve) => (answer = () => resolve({}))) : Promise.resolve({});
    };
    await first.begin('d1');
    await vi.waitFor(() => expect(calls).toEqual(['take']));
    const finishing = first.runner.finish(10_000);
    await first.runner.start();
    first.clock.advance(10_000);
    answer();
    expect(await finishing).toMatchObject({ underWay: 1, handedOver: [] });
    await first.begin('d2');
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
    expect(calls).toEqual(['take', 'seal', 'take']);
    answer();
    await vi.waitFor(async () => expect(await first.state('d2')).toBe('done'));
  });

  it('stay when the runner restarts before it releases them', async () => {
    const first = await scene.startIdle();
    const calls: string[] = [];
    first.call = async (_name, key) => calls.push(key);
    await first.begin('d1');
    await Promise.all([first.runner.stop(), first.runner.start()]);
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
    expect(calls).toEqual(['d1/take', 'd1/seal']);
    expect(first.warnings).toEqual([]);
  });

  it('do not restart during their release', async () => {
    const first = await scene.startIdle();
    const calls: string[] = [];
    let stopping: Promise<void> | undefined;
    first.call = async (_name, key) => {
      calls.push(key);
      await stopping;
    };
    await first.begin('d1');
    const letsGo = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    first.beforeWork = async () => {
      first.beforeWork = async () => {};
      letsGo.resolve();
      await goesOn.promise;
    };
    stopping = first.runner.stop();
    await letsGo.promise;
    const starting = first.runner.start();
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    goesOn.resolve();
    await Promise.all([stopping, starting]);
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
    expect(calls).toEqual(['d1/take', 'd1/seal']);
    expect(first.warnings).toEqual([]);
  });

  it('are taken over immediately by a woken runner after the first one stopped', async () => {
    const [first, second] = [await scene.startIdle(), await scene.start()];
    await first.begin('d1');
    second.runner.wake();
    expect(await findSaga(second.database, 'd1')).toMatchObject({ owner: first.instance.id });
    await first.runner.stop();
    expect([first.instance.lives, await second.state('d1')]).toEqual([true, 'running']);
    second.runner.wake();
    await vi.waitFor(async () => expect(await second.state('d1')).toBe('done'));
    expect(await findSaga(second.database, 'd1')).toMatchObject({ attempts: 0, fence: 2 });
  });

  it('compensate also a step whose outcome could not be recorded: it may have happened', async () => {
    const [first, second] = [await scene.start(), await scene.startIdle()];
    const { promise: failed, resolve } = Promise.withResolvers<void>();
    first.call = async () => {
      first.beforeWork = fullDisk;
      resolve();
    };
    await first.begin('d1');
    await failed;
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    first.beforeWork = async () => {};
    await first.runner.stop();
    const calls: string[] = [];
    second.call = async (name) => {
      calls.push(name);
      if (name === 'take') throw bank.refuse('broke');
    };
    await second.runner.start();
    await vi.waitFor(async () => expect(await second.state('d1')).toBe('compensated'));
    expect(calls).toEqual(['take', 'giveBack']);
  });
});
