import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { hurryTurns, turn } from './turns.ts';

let now: number;

beforeEach(async () => {
  await nextTurn();
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

afterEach(() => vi.restoreAllMocks());

const nextTurn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

it('does not wait while this turn of the event loop has taken less than 2 ms', async () => {
  const waits = () => turn() !== undefined;
  expect(waits()).toBe(false);
  now = 1.9;
  expect(waits()).toBe(false);
  now = 2;
  expect(waits()).toBe(true);
  await nextTurn();
  expect(waits()).toBe(false);
});

it('runs the others in later turns, in their order, each with its synchronous work', async () => {
  let turns = 0;
  let counting = true;
  const count = () => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const log: string[] = [];
  const task = async (name: number) => {
    await turn();
    const began = turns;
    now += 0.5;
    await undefined;
    now += 0.5;
    log.push(`${name} in ${began}`);
  };
  now = 10;
  turn();
  now = 14;
  await Promise.all([1, 2, 3, 4, 5].map(task));
  counting = false;
  const inTurn = log.map((line) => Number(line.split(' in ')[1]));
  expect(log.map((line) => line[0])).toEqual(['1', '2', '3', '4', '5']);
  expect(inTurn[0]).toBe(inTurn[1]);
  expect(inTurn[2]).toBeGreaterThan(inTurn[1]!);
  expect(inTurn[2]).toBe(inTurn[3]);
  expect(inTurn[4]).toBeGreaterThan(inTurn[3]!);
});

it('has short turns for a while after a new connection', async () => {
  const waits = () => turn() !== undefined;
  hurryTurns();
  expect(waits()).toBe(false);
  now = 0.6;
  expect(waits()).toBe(true);
  await nextTurn();
  now = 30;
  expect(waits()).toBe(false);
  now = 31.9;
  expect(waits()).toBe(false);
});

it('lets no task overtake a waiting task', async () => {
  const log: string[] = [];
  turn();
  now = 4;
  const first = turn()!.then(() => log.push('first'));
  now = 0;
  const second = Promise.resolve(turn()).then(() => log.push('second'));
  await Promise.all([first, second]);
  expect(log).toEqual(['first', 'second']);
});
