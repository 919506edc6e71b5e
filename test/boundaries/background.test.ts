import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

/**
 * Lines of the kernel that may use timers without `background`. In each case a caller awaits the promise of a pause, and the
 * caller's code continues in its own context.
 */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // The implementation of `background`.
  'kernel/context/background.ts': [
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
  // The caller of `close` awaits it.
  'adapters/sqlite/sqlite.ts': ['while (!this.#group.idle) await new Promise((resolve) => setImmediate(resolve));'],
  // The relocation that pauses awaits it.
  'control/relocation/journal.ts': [
    "import { setTimeout } from 'node:timers/promises';",
    'await setTimeout(delayMs, undefined, { signal: this.aborted }).catch(() => {',
  ],
  // The operator's request for advice awaits it.
  'control/advice/serve.ts': [
    "import { setTimeout } from 'node:timers/promises';",
    'await setTimeout(seconds * 1_000, undefined, { signal: gone }).catch(() => {});',
  ],
  // The consumer that leaves the queue awaits it.
  'adapters/rabbitmq/calls.ts': ['await new Promise((resolve) => setImmediate(resolve));'],
  // The test of a saga scenario awaits it.
  'kernel/testing/scenario-runner.ts': ['await new Promise((resolve) => setImmediate(resolve));'],
};

const kernel = join(import.meta.dirname, '..', '..', 'src', 'shared');
const timers = 'setTimeout|setInterval|setImmediate|queueMicrotask|nextTick';
/** Matches every use of a timer function. A method of another object, such as `socket.setTimeout`, does not match. */
const later = new RegExp(`(?<!\\.)\\b(${timers})\\b|\\b(process|globalThis)\\s*\\.\\s*(${timers})\\b|timers/promises`);

it('the kernel runs delayed work only with `background`', () => {
  const found: Record<string, string[]> = {};
  for (const entry of readdirSync(kernel, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!/(?<!\.(test|cases|scene))\.ts$/.test(file)) continue;
    const text = readFileSync(file, 'utf8').replaceAll(new RegExp(`background\\s*\\.\\s*(${timers})`, 'g'), '');
    const lines = text.split('\n').filter((line) => later.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line));
    if (lines.length > 0) found[relative(kernel, file)] = lines.map((line) => line.trim());
  }
  expect(found, 'use `background` of src/shared/kernel/context, or a `Clock`').toEqual(exceptions);
});
