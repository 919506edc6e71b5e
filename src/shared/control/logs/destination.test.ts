import { closeSync, mkdtempSync, openSync, readFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { LineWriter } from './destination.ts';

afterEach(() => vi.useRealTimers());

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** A destination that ends no write by itself. */
class Slow {
  readonly writes: { text: string; done: Done }[] = [];
  readonly dropped: number[] = [];
  readonly writer = new LineWriter(-1, (_fd, bytes, done) => this.writes.push({ text: String(bytes), done }));

  constructor() {
    this.writer.onDropped = (count) => this.dropped.push(count);
  }

  get texts(): string[] {
    return this.writes.map(({ text }) => text);
  }

  /** Ends the last write, with a part of its bytes or an error. */
  end(written = Number.POSITIVE_INFINITY, code?: string): void {
    const { text, done } = this.writes.at(-1)!;
    done(code === undefined ? null : Object.assign(new Error(code), { code }), Math.min(written, text.length));
  }
}

it('writes lines in order, whole and one batch at a time', async () => {
  const slow = new Slow();
  for (const line of ['a\n', 'b\n', 'c\n']) slow.writer.write(line);
  expect(slow.texts).toEqual(['a\n']);
  slow.end();
  expect(slow.texts).toEqual(['a\n', 'b\nc\n']);
  slow.end(1);
  expect(slow.texts.at(-1)).toBe('\nc\n');
  slow.end();
  await slow.writer.flush();
  expect(slow.writes).toHaveLength(3);
});

it('puts no more into a batch than a pipe takes in one piece', () => {
  const slow = new Slow();
  slow.writer.write('first\n');
  const lines = Array.from({ length: 10 }, () => `${'x'.repeat(1_500)}\n`);
  for (const line of lines) slow.writer.write(line);
  slow.writer.write(`${'y'.repeat(10_000)}\n`);
  for (let count = 0; count < 7; count++) slow.end();
  expect(slow.texts.map(({ length }) => length)).toEqual([6, 3_002, 3_002, 3_002, 3_002, 3_002, 10_001]);
});

it('drops lines beyond 4 MiB while the destination is slow, and reports their number afterwards', () => {
  const slow = new Slow();
  const line = `${'x'.repeat(1_023)}\n`;
  for (let count = 0; count < 10_000; count++) slow.writer.write(line);
  expect([slow.texts.length, slow.dropped]).toEqual([1, []]);
  slow.end();
  expect(slow.dropped).toEqual([10_000 - 4_096 - 1]);
  let written = 1;
  while (slow.writes.at(-1)!.text.length === 4_096) {
    written += 4;
    slow.end();
    if (written > 4_096) break;
  }
  expect(written).toBe(4_097);
});

it('drops what a full disk refuses, continues afterwards, and does not join two lines', () => {
  const slow = new Slow();
  slow.writer.write('first\n');
  slow.end(3);
  slow.end(0, 'ENOSPC');
  slow.writer.write('second\n');
  expect(slow.texts.at(-1)).toBe('\nsecond\n');
  slow.end(0, 'ENOSPC');
  expect(slow.dropped).toEqual([]);
  slow.writer.write('third\n');
  slow.end();
  expect([slow.texts.at(-1), slow.dropped]).toEqual(['\nthird\n', [2]]);
  slow.writer.write('fourth\n');
  expect(slow.texts.at(-1)).toBe('fourth\n');
});

it('tries again when a pipe takes nothing at the moment, and stops when nobody reads it', () => {
  vi.useFakeTimers();
  const slow = new Slow();
  slow.writer.write('first\n');
  slow.end(0, 'EAGAIN');
  expect(slow.texts).toEqual(['first\n']);
  vi.advanceTimersByTime(50);
  expect(slow.texts).toEqual(['first\n', 'first\n']);
  slow.end(0, 'EPIPE');
  slow.writer.write('second\n');
  expect(slow.texts).toHaveLength(2);
});

it('survives a device that is full', async () => {
  const fd = openSync('/dev/full', 'w');
  const writer = new LineWriter(fd);
  for (let count = 0; count < 100; count++) writer.write('line\n');
  await writer.flush();
  closeSync(fd);
});

it('writes to a file', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'kerf-log-')), 'log');
  const fd = openSync(file, 'a');
  writeSync(fd, 'before\n');
  const writer = new LineWriter(fd);
  for (const line of ['a\n', 'ü\n', 'c\n']) writer.write(line);
  await writer.flush();
  expect(readFileSync(file, 'utf8')).toBe('before\na\nü\nc\n');
});
