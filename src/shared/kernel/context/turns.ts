import { background } from './background.ts';

const budgetMs = 2;
const shortMs = 0.5;
const hurryMs = 20;

/** Tasks that wait for time in a later turn of the event loop, the oldest first. */
const waiting: (() => void)[] = [];
let beganAt: number | undefined;
let hurriesUntil = 0;

/** Makes turns short for 20 ms. Call it for each new connection: Node accepts one in each turn of the event loop, and more may wait. */
export function hurryTurns(): void {
  hurriesUntil = performance.now() + hurryMs;
}

/**
 * Shares the event loop among tasks that can wait. Returns `undefined` when this turn of the loop has time left, otherwise a
 * promise. The promises resolve in later turns, in the order of the calls. So Node reads its sockets every few milliseconds, even
 * when many tasks wait.
 */
export function turn(): Promise<void> | undefined {
  if (waiting.length === 0 && hasTime()) return undefined;
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) background.setImmediate(next);
  });
}

/** Returns whether this turn has used less than its budget since its first call of this function. */
function hasTime(): boolean {
  const now = performance.now();
  if (beganAt === undefined) {
    beganAt = now;
    background.setImmediate(() => {
      beganAt = undefined;
    });
  }
  return now - beganAt < (now < hurriesUntil ? shortMs : budgetMs);
}

function next(): void {
  if (!hasTime()) return void background.setImmediate(next);
  waiting.shift()?.();
  // A tick that a microtask schedules runs after all immediate work of the task.
  if (waiting.length > 0) background.queueMicrotask(() => background.nextTick(next));
}
