import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Scene, sender } from './placements.ts';

const mebibyte = 1024 * 1024;
/** What connections and processes may buffer. */
const buffers = 24 * mebibyte;

export function streams(scene: Scene): void {
  const json = sender(scene);
  const open = (path: string, init: RequestInit = {}) => fetch(`${scene.kerf.url}/streams/${path}`, init);
  const state = async () =>
    (await json('GET', '/streams/state')).body as Record<'open' | 'produced' | 'aborted', number>;
  const put = async (path: string, body: RequestInit['body'], signal?: AbortSignal) => {
    const answered = await open(path, { method: 'POST', body, duplex: 'half', signal } as RequestInit);
    return { status: answered.status, body: (await answered.json()) as Record<string, unknown> };
  };

  if (scene.placement === 'queue') {
    it('says that a queue carries no streams', async () => {
      for (const { status, body } of [await json('GET', '/streams/events'), await put('hash', 'a')])
        expect([status, body.code, body.detail]).toEqual([
          501,
          'no-streams',
          expect.stringContaining('http or by grpc'),
        ]);
    });
    return;
  }

  it('takes an upload of any size in parts', async () => {
    const bytes = randomBytes(20 * mebibyte);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    for (const body of [bytes, new Blob([bytes]).stream()])
      expect(await put('hash', body)).toEqual({ status: 200, body: { bytes: bytes.length, sha256 } });
    const nothing = createHash('sha256').digest('hex');
    expect(await put('hash', '')).toEqual({ status: 200, body: { bytes: 0, sha256: nothing } });
  });

  it('refuses an upload that is too large, with and without a declared length', async () => {
    const part = Buffer.alloc(mebibyte);
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(part) });
    for (const body of [Buffer.alloc(24 * mebibyte + 1), endless]) {
      // The server may close the connection before the client has sent everything.
      const answered = await put('hash', body).catch(() => undefined);
      if (answered) expect([answered.status, answered.body.code]).toEqual([413, 'body-too-large']);
    }
    expect((await put('hash', 'a')).status).toBe(200);
  });

  it('ends an upload that stalls', async () => {
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('a')) });
    const { status, body } = await put('hash', stalled);
    expect([status, body.code, body.detail]).toEqual([504, 'timeout', 'the client sent nothing for 10000 ms']);
  });

  it('tells a handler that the client of an upload has gone', async () => {
    const gone = new AbortController();
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('a')) });
    const sent = put('stuck', stalled, gone.signal).catch(() => 'gone');
    await expect.poll(async () => (await state()).open).toBe(1);
    gone.abort();
    expect(await sent).toBe('gone');
    await expect.poll(async () => (await state()).open).toBe(0);
  });

  it('serves the next request after an upload that nobody read', async () => {
    expect((await put('closed', new Blob([Buffer.alloc(mebibyte)]).stream())).status).toBe(401);
    expect((await json('GET', '/streams/state')).status).toBe(200);
  });

  it('sends a download of any size, and HEAD makes none of it', async () => {
    const answered = await open(`bytes?bytes=${20 * mebibyte + 1}`);
    expect(answered.headers.get('content-type')).toBe('application/octet-stream');
    expect((await answered.arrayBuffer()).byteLength).toBe(20 * mebibyte + 1);
    const before = await state();
    expect((await open('bytes?bytes=100', { method: 'HEAD' })).status).toBe(200);
    expect(await state()).toMatchObject({ open: 0, produced: before.produced });
    expect((await open('bytes?bytes=x')).status).toBe(422);
  });

  it('streams both ways at once', async () => {
    const bytes = randomBytes(3 * mebibyte);
    const answered = await open('copy', {
      method: 'POST',
      body: new Blob([bytes]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(Buffer.from(await answered.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('slows a handler down to its client, and tells it when the client goes', async () => {
    const before = await state();
    const gone = new AbortController();
    const answered = await open(`bytes?bytes=${60 * mebibyte}`, { signal: gone.signal });
    const reader = answered.body!.getReader();
    await reader.read();
    let seen = 0;
    const stands = async () => {
      const last = seen;
      seen = (await state()).produced;
      return seen > before.produced && seen === last;
    };
    await expect.poll(stands).toBe(true);
    expect(seen - before.produced).toBeLessThan(buffers);
    gone.abort();
    await expect.poll(async () => (await state()).open).toBe(0);
    expect((await state()).aborted).toBe(before.aborted + 1);
  });

  it('breaks the connection when the handler throws in the middle, or takes too long', async () => {
    for (const path of ['bytes?bytes=0&fails=true', `bytes?bytes=${3 * mebibyte}&fails=true`, 'brief']) {
      const answered = await open(path);
      expect(answered.status).toBe(200);
      await expect(answered.arrayBuffer()).rejects.toThrow();
    }
    await expect.poll(() => scene.kerf.stderr).toContain('the shelf broke');
    await expect.poll(async () => (await state()).open).toBe(0);
  });

  it('sends events to a client, in the context of its request', async () => {
    const answered = await open('events', { headers: { 'last-event-id': '4', 'x-request-id': 'request-1' } });
    expect(answered.headers.get('content-type')).toBe('text/event-stream');
    const event = (at: number) => `event: box\nid: ${at}\ndata: box ${at}\ndata: of request-1\n\n`;
    expect(await answered.text()).toBe(event(5) + event(6) + event(7));
  });
}
