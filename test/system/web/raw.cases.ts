import { createHmac, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Scene } from './placements.ts';
import { hookKey } from './shelf/routes.ts';

export function rawBodies(scene: Scene): void {
  const hook = async (body: Buffer<ArrayBuffer>, headers: Record<string, string> = {}, inChunks = false) => {
    const signature = createHmac('sha256', hookKey).update(body).digest('hex');
    const answer = await fetch(`${scene.kerf.url}/hooks`, {
      method: 'POST',
      body: inChunks ? new Blob([body]).stream() : body,
      headers: { 'x-signature': signature, ...headers },
      duplex: 'half',
    } as RequestInit);
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
  };

  it.each<[string, Buffer<ArrayBuffer>, Record<string, string>]>([
    ['JSON with spaces of its own', Buffer.from('{ "a" :  1 }\r\n'), { 'content-type': 'application/json' }],
    ['bytes that are no text', Buffer.from([0, 0xff, 0xfe, 0xc3, 0x28]), {}],
    ['a text that begins with a byte order mark', Buffer.from('\ufeffnails'), { 'content-type': 'text/plain' }],
    ['a compressed body', Buffer.from(gzipSync('nails')), { 'content-encoding': 'gzip' }],
    ['nothing', Buffer.alloc(0), {}],
    ['more than a JSON body may have', randomBytes(2 * 1024 * 1024), {}],
  ])('gives the handler the bytes as they came, and answers with bytes: %s', async (_, body, headers) => {
    for (const inChunks of [false, true]) {
      const { status, bytes } = await hook(body, headers, inChunks);
      expect([status, bytes.equals(body)]).toEqual([200, true]);
    }
  });

  it('refuses a wrong signature, and a body that is too large', async () => {
    expect((await hook(Buffer.from('nails'), { 'x-signature': 'x' })).status).toBe(403);
    for (const inChunks of [false, true]) {
      const { status, bytes } = await hook(Buffer.alloc(2 * 1024 * 1024 + 1), {}, inChunks);
      expect([status, JSON.parse(bytes.toString())]).toMatchObject([413, { detail: 'at most 2 MiB' }]);
    }
  });
}
