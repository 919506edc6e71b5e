import { ByteBuffer } from './byte-buffer.ts';

/** An oversized body is read and discarded up to this size: a client that is still sending does not read an answer. */
const patienceBytes = 16 * 1024 * 1024;

/** Returns the whole body, or `undefined` when it is larger than `maximumBytes`. */
export async function gatherBody(
  body: ReadableStream<Uint8Array> | null,
  maximumBytes: number,
): Promise<Buffer | undefined> {
  const gathered = new ByteBuffer();
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > patienceBytes) break;
    if (bytes <= maximumBytes) gathered.add(chunk);
  }
  return bytes > maximumBytes ? undefined : gathered.take();
}
