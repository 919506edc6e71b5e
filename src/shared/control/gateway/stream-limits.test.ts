import { expect, it } from 'vitest';
import { bounded } from './stream-limits.ts';

const limits = { maxBytes: 10, seconds: 60, stalledMs: 60_000, client: 'reads' } as const;

/** Returns a source of parts, and what its reader has asked for. */
function source(...parts: string[]) {
  const seen = { asked: 0, cancelled: undefined as unknown };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.asked += 1;
        const part = parts.shift();
        if (part === undefined) return new Promise(() => {});
        if (part === 'end') return controller.close();
        if (part === 'fail') throw new Error('broke');
        controller.enqueue(Buffer.from(part));
      },
      cancel(reason) {
        seen.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

const textOf = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();

it('passes what is within the limits, and asks for a part only when its reader does', async () => {
  const { stream, seen } = source('abcde', 'fghij', 'end');
  const ends: unknown[] = [];
  const limited = bounded(stream, { ...limits, ended: (error) => ends.push(error) });
  expect(seen.asked).toBe(0);
  expect(await textOf(limited)).toBe('abcdefghij');
  expect(ends).toEqual([undefined]);
});

it('fails a stream that is too large, and cancels its source', async () => {
  const { stream, seen } = source('abcde', 'fghijk', 'end');
  const refused = { code: 'body-too-large', message: 'at most 10 bytes' };
  await expect(textOf(bounded(stream, limits))).rejects.toMatchObject(refused);
  expect(seen.cancelled).toMatchObject(refused);
});

it('fails a stream that takes too long, or whose client stalls', async () => {
  const late = { code: 'timeout', message: 'the body took longer than 0.01 s' };
  await expect(textOf(bounded(source('a').stream, { ...limits, seconds: 0.01 }))).rejects.toMatchObject(late);
  const quiet = { ...limits, stalledMs: 10, client: 'writes' } as const;
  const stalled = { code: 'timeout', message: 'the client sent nothing for 10 ms' };
  await expect(textOf(bounded(source('a').stream, quiet))).rejects.toMatchObject(stalled);
  const { stream, seen } = source('a', 'b');
  const reader = bounded(stream, { ...limits, stalledMs: 10 }).getReader();
  await reader.read();
  await expect.poll(() => seen.cancelled).toMatchObject({ message: 'the client read nothing for 10 ms' });
  await expect(reader.read()).rejects.toMatchObject({ code: 'timeout' });
});

it('passes an error of the source on, and tells it', async () => {
  const ends: unknown[] = [];
  const limited = bounded(source('a', 'fail').stream, { ...limits, ended: (error) => ends.push(error) });
  await expect(textOf(limited)).rejects.toThrow('broke');
  expect(ends).toMatchObject([{ message: 'broke' }]);
});

it('cancels the source when its reader does, which is no failure', async () => {
  const { stream, seen } = source('a', 'b');
  const ends: unknown[] = [];
  const limited = bounded(stream, { ...limits, ended: (error) => ends.push(error) });
  const reader = limited.getReader();
  await reader.read();
  await reader.cancel('gone');
  expect([seen.cancelled, ends]).toEqual(['gone', [undefined]]);
});
