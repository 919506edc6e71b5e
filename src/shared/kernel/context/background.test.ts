import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { background } from './background.ts';
import { Cancellation } from './cancellation.ts';
import { systemClock } from './clock.ts';
import { currentContext, runInContext } from './context.ts';
import { currentUnit } from './current-unit.ts';
import { deadlineIn } from './deadline-timer.ts';
import { ManualClock } from './manual.ts';

const context = { requestId: 'r1', caller: 'test', deadline: 0 };
const callers = new AsyncLocalStorage<string>();

/** Runs a task like the code of a request that has an open unit of work. */
function inRequest<T>(task: () => T): T {
  const mark = { database: 'shop', open: true };
  return callers.run('own', () => currentUnit.run(mark, () => runInContext(context, task)));
}

function travels(): unknown[] {
  return [currentContext(), currentUnit.getStore(), callers.getStore()];
}

const nothing = [undefined, undefined, undefined];

it('runs a background task and its continuations without the context of the request', async () => {
  const seen = await inRequest(() =>
    background.run(async (first: string) => {
      const before = travels();
      await undefined;
      return [first, before, travels()];
    }, 'given'),
  );
  expect(seen).toEqual(['given', nothing, nothing]);
});

it('restores the context of the request afterwards', () => {
  inRequest(() => {
    background.run(travels);
    expect(travels()).toEqual([context, { database: 'shop', open: true }, 'own']);
    const fails = () => {
      throw new Error('broken');
    };
    expect(() => background.run(fails)).toThrow('broken');
    expect(currentContext()).toBe(context);
  });
});

it.each([
  ['setTimeout', (task: () => void) => background.setTimeout(task, 0)],
  ['setImmediate', (task: () => void) => background.setImmediate(task)],
  ['nextTick', (task: () => void) => background.nextTick(task)],
  ['queueMicrotask', (task: () => void) => background.queueMicrotask(task)],
  ["the system's clock", (task: () => void) => systemClock.after(0, task)],
])('%s runs its task in the background', async (_, later) => {
  const target = new EventTarget();
  const told = once(target, 'seen');
  let seen: unknown[] = [];
  inRequest(() =>
    later(() => {
      seen = travels();
      target.dispatchEvent(new Event('seen'));
    }),
  );
  await told;
  expect(seen).toEqual(nothing);
});

it('an interval runs its task in the background', async () => {
  const seen = await inRequest(
    () =>
      new Promise((resolve) => {
        const timer = background.setInterval(() => {
          clearInterval(timer);
          resolve(travels());
        }, 1);
      }),
  );
  expect(seen).toEqual(nothing);
});

it('a manual clock runs its tasks in the background', () => {
  const clock = new ManualClock();
  let seen: unknown[] = [];
  inRequest(() => {
    clock.after(10, () => {
      seen = travels();
    });
    clock.advance(10);
  });
  expect(seen).toEqual(nothing);
});

it('reports a deadline in the background, whatever request started the shared timer', async () => {
  const told = Promise.withResolvers<unknown[]>();
  inRequest(() => {
    new Cancellation().wait(deadlineIn(1)!, () => told.resolve(travels()));
  });
  expect(await told.promise).toEqual(nothing);
});
