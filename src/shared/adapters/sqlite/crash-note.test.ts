import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileNote } from './crash-note.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-note-'));
  path = join(folder, 'shop.db-crash-note');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Takes `atOnce` bytes at a time, and fails behind the first `room` of the file. */
function disk(atOnce: number, room = Number.POSITIVE_INFINITY) {
  return ((descriptor: number, bytes: Buffer, from: number, count: number, at: number) => {
    if (at >= room) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    return writeSync(descriptor, bytes, from, Math.min(count, atOnce, room - at), at);
  }) as typeof writeSync;
}

it('is written completely, in several writes if necessary', () => {
  const note = fileNote(path, undefined, disk(3));
  note.write('an event with a long name');
  expect([note.isEmpty, note.read()]).toEqual([false, 'an event with a long name']);
  note.write('');
  expect([note.isEmpty, note.read()]).toEqual([true, '']);
  note.close();
});

it('is empty after an incomplete write, whatever it held before', () => {
  const before = fileNote(path);
  before.write('an event that was noted before');
  before.close();
  for (const room of [1, 4, 12]) {
    const note = fileNote(path, undefined, disk(5, room));
    note.write('another event, with a name that is longer than the one before');
    expect([note.isEmpty, note.read()]).toEqual([true, '']);
    note.close();
  }
});

it('is read once per transaction, and each time outside a transaction', () => {
  let transaction: number | undefined = 1;
  const [note, other] = [fileNote(path, () => transaction), fileNote(path)];
  expect(note.isEmpty).toBe(true);
  other.write('an event of another process, which cannot write it while the transaction is open');
  expect(note.isEmpty).toBe(true);
  transaction = 2;
  expect(note.isEmpty).toBe(false);
  note.write('');
  other.write('the same event');
  expect(note.isEmpty).toBe(true);
  transaction = undefined;
  expect(note.isEmpty).toBe(false);
  for (const each of [note, other]) each.close();
});
