import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { ManualClock, systemClock } from '../clock/index.ts';
import { background, Cancellation, currentContext, currentUnit, deadlineIn, runInContext } from './index.ts';

const context = { requestId: 'r1', caller: 'test', deadline: 0 };
const callers = new AsyncLocalStorage<string>();

/** What travels with the code of a request that has a unit of work open. */
function inRequest<T>(task: () => T): T {
  const mark = { database: 'shop', open: true };
  return callers.run('own', () => currentUnit.run(mark, () => runInContext(context, task)));
}

function travels(): unknown[] {
  return [currentContext(), currentUnit.getStore(), callers.getStore()];
}

const nothing = [undefined, undefined, undefined];

it('runs a task of the background with nothing of the request that starts it, and what follows it as well', async () => {
  const seen = await inRequest(() =>
    background.run(async (first: string) => {
      const before = travels();
      await undefined;
      return [first, before, travels()];
    }, 'given'),
  );
  expect(seen).toEqual(['given', nothing, nothing]);
});

it('gives the request back what travelled with it', () => {
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
])('has %s run its task in the background', async (_, later) => {
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

it('has an interval run its task in the background', async () => {
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

it('has a clock that is moved by hand run its tasks in the background', () => {
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

it('tells of a deadline in the background, whoever set the timer that all deadlines share', async () => {
  const told = Promise.withResolvers<unknown[]>();
  inRequest(() => {
    new Cancellation().wait(deadlineIn(1)!, () => told.resolve(travels()));
  });
  expect(await told.promise).toEqual(nothing);
});

/**
 * Where the kernel has something run later without `background`. Each has its reason: the promise of a pause is awaited by
 * whoever asked for it, whose code goes on in its own context.
 */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // The one place itself.
  'context/background.ts': [
    'setTimeout(task: () => void, delayMs: number): NodeJS.Timeout {',
    'return nobody.runInAsyncScope(setTimeout, undefined, task, delayMs);',
    'setInterval(task: () => void, everyMs: number): NodeJS.Timeout {',
    'return nobody.runInAsyncScope(setInterval, undefined, task, everyMs);',
    'setImmediate(task: () => void): NodeJS.Immediate {',
    'return nobody.runInAsyncScope(setImmediate, undefined, task);',
    'nextTick(task: () => void): void {',
    'nobody.runInAsyncScope(process.nextTick, undefined, task);',
    'queueMicrotask(task: () => void): void {',
    'nobody.runInAsyncScope(queueMicrotask, undefined, task);',
  ],
  // Awaited by whoever closes the data.
  'data/sqlite.ts': ['while (!this.#group.idle) await new Promise((resolve) => setImmediate(resolve));'],
  // Awaited by the move that pauses.
  'host/moves/journal.ts': [
    "import { setTimeout } from 'node:timers/promises';",
    'await setTimeout(delayMs, undefined, { signal: this.aborted }).catch(() => {',
  ],
  // Awaited by the operator who asked for advice.
  'host/advice/serve.ts': [
    "import { setTimeout } from 'node:timers/promises';",
    'await setTimeout(seconds * 1_000, undefined, { signal: gone }).catch(() => {});',
  ],
  // Awaited by whoever leaves the queue.
  'transport/queue/amqp.ts': ['await new Promise((resolve) => setImmediate(resolve));'],
  // Awaited by the test that tells the story of a saga.
  'testing/rehearsal.ts': ['await new Promise((resolve) => setImmediate(resolve));'],
};

const kernel = join(import.meta.dirname, '..');
const timers = 'setTimeout|setInterval|setImmediate|queueMicrotask|nextTick';
/** By whatever name; a method of another object, such as the time limit of a socket, is none. */
const later = new RegExp(`(?<!\\.)\\b(${timers})\\b|\\b(process|globalThis)\\s*\\.\\s*(${timers})\\b|timers/promises`);

it('is the only place where the kernel has something run later', () => {
  const found: Record<string, string[]> = {};
  for (const entry of readdirSync(kernel, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!/(?<!\.(test|cases|scene))\.ts$/.test(file)) continue;
    const text = readFileSync(file, 'utf8').replaceAll(new RegExp(`background\\s*\\.\\s*(${timers})`, 'g'), '');
    const lines = text.split('\n').filter((line) => later.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line));
    if (lines.length > 0) found[relative(kernel, file)] = lines.map((line) => line.trim());
  }
  expect(found, 'use `background` of src/shared/context, or a `Clock`').toEqual(exceptions);
});
